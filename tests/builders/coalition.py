"""A whole coalition on a real node: deployed contracts, brands with their own signers, enrolled members, and the gateway's write path.

Operations go in as the API stores them; `work_off()` turns the worker by hand until nothing is open, so tests need no waiting.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from sqlalchemy import select

from gateway.app import make_worker
from gateway.brand_signer.register_writer import capture_record, order_record, point_refund_record, refund_record, sale_record, void_record
from gateway.brands.change_brand import set_exposure
from gateway.brands.register_brand import OPEN_END, BrandRegistration, register_brand
from gateway.brands.rows import SqlBrands
from gateway.chain.connection import Chain
from gateway.chain.operator_key import create_key_file, load_account
from gateway.coalition.coalition import Coalition
from gateway.coalition.rows import SqlCoalition, business_clock, the_coalition
from gateway.config import Settings, settings_of
from gateway.governance.approve_act import approve_act
from gateway.governance.rows import SqlCriteria, SqlPendingActs
from gateway.governance.views import list_pending_acts
from gateway.ledger.consents import NO_ORDER
from gateway.ledger.governance import Approval, approval_digest
from gateway.ledger.owner_acts import SetExposure, owner_act_digest
from gateway.loyalty.programmes.publish_rule import AskedRule, publish_rule
from gateway.loyalty.programmes.rows import SqlRules
from gateway.members.enroll_member import enroll_member
from gateway.members.rows import SqlMembers
from gateway.points.expiry_rows import SqlExpiryRuns
from gateway.points.rows import SqlPoints
from gateway.points.run_expiry import run_expiry
from gateway.purchases.purchase import Purchase
from gateway.purchases.record_payment_refund import PaymentRefund, record_payment_refund
from gateway.purchases.record_purchase import record_purchase
from gateway.purchases.rows import SqlPaymentRefunds, SqlPurchases
from gateway.redemption.authorize import authorize
from gateway.redemption.capture import capture
from gateway.redemption.point_refund import point_refund
from gateway.redemption.redeem import redeem
from gateway.redemption.redemption_request import RedemptionRequest, consent_of
from gateway.redemption.rows import SqlReservations
from gateway.redemption.void import void
from gateway.rounds.brand_operation import OwnerSignature
from gateway.rounds.completion import Completions
from gateway.rounds.rows import SqlOperations
from gateway.rounds.tables import OperationRow
from gateway.rounds.worker import LedgerWorker
from gateway.store.migrations import migrate
from gateway.store.session import Database
from gateway.store.unit_of_work import UnitOfWork, reading, writing
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.errors import Unavailable
from gateway.values.ids import Address, Hash, MemberId, OperationId, ReservationId
from gateway.values.money import Ratio
from tests.builders.brands import RULE_PER_MINOR, RULE_POINTS, BrandBuilder
from tests.builders.databases import empty_database
from tests.node.running_node import RunningNode, throwaway_account

START = 1_771_200_000  # 2026-02-16 00:00 UTC
ISSUE_LIMIT = 10**9
_ids = itertools.count(1)


@dataclass
class CoalitionBuilder:
    """Use `running_coalition` to get one. `worker` is driven step by step; brands and members are made in sequence."""

    folder: Path
    node: RunningNode
    settings: Settings
    database: Database
    chain: Chain
    worker: LedgerWorker
    brands: dict[int, BrandBuilder] = field(default_factory=dict)
    member_keys: dict[MemberId, LocalAccount] = field(default_factory=dict)
    owner_acts: Counter[int] = field(default_factory=Counter)
    ordered: dict[ReservationId, tuple[str, str]] = field(default_factory=dict)
    unlisted: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def coalition(self) -> Coalition:
        with self.database.read() as session:
            return the_coalition(session)

    # The gateway

    def restart_worker(self) -> LedgerWorker:
        """A new worker on the same database, as after a crash; the old one is dropped as it stands."""
        self.worker.close()
        self.worker = make_worker(self.database, self.chain, Completions(), self.settings)
        open_patiently(self.worker)
        return self.worker

    def work_off(self) -> None:
        """Turns the worker until no operation is open."""
        self.turn_until(lambda: not self.open_operations())

    def turn_until(self, reached: Callable[[], bool], seconds: float = 60) -> None:
        """Turns the worker, at least once, until it has come to that."""
        until = monotonic() + seconds
        while True:
            self.worker.turn()
            self.approve_all()
            if reached():
                return
            open_ones = [(row.kind, row.status) for row in self.open_operations()]
            assert monotonic() < until, f"it did not come to that; still open: {open_ones}"

    def wait_out(self, delay_seconds: int) -> None:
        """Everything that waits is proposed; then the delay passes on the chain, and what is ready is approved and executed."""
        while any(row.status == "accepted" for row in self.open_operations()):
            self.worker.turn()
        self.set_time(self.now + delay_seconds)
        self.turn_until(lambda: not self._ready_or_packed())

    def _ready_or_packed(self) -> bool:
        with reading(self.database, business_clock()) as work:
            if any(act.ready_at is None or act.ready_at <= work.now for act in list_pending_acts(work.session)):
                return True
        return any(row.status != "proposed" for row in self.open_operations())

    def approve_all(self) -> None:
        """Every act of governance that is ready is approved by as many as are needed."""
        with writing(self.database, business_clock()) as work:
            coalition = work.of(SqlCoalition).facts
            for act in list_pending_acts(work.session):
                if act.ready_at is None:
                    continue
                for key in approvers()[: coalition.approvals_needed]:
                    signed = act.ready_at, act.ready_at + 30 * 86_400
                    digest = approval_digest(coalition.governance_domain, Hash.parse(act.act_id), *signed)
                    signature = bytes(Account.unsafe_sign_hash(digest, key.key).signature)
                    given, acts, criteria = Approval(*signed, signature), work.of(SqlPendingActs), work.of(SqlCriteria)
                    approve_act(OperationId(act.operation_id), given, None, coalition=coalition, acts=acts, criteria=criteria, now=work.now)

    def store_round(self) -> None:
        """Packs, has signed and stores a round; nothing is sent."""
        self.worker.sign_and_store()
        while self.worker.signing.unsigned():
            self.worker.sign_and_store()

    def open_operations(self) -> list[OperationRow]:
        with self.database.read() as session:
            return list(session.scalars(select(OperationRow).where(OperationRow.status.in_(("accepted", "proposed", "packed")))))

    def operation(self, operation_id: str) -> OperationRow:
        with self.database.read() as session:
            return session.scalars(select(OperationRow).where(OperationRow.operation_id == operation_id)).one()

    def restart_node(self) -> None:
        """Killed and started again on the same data and port."""
        self.node.kill()
        self.restart_stopped_node()

    def restart_stopped_node(self) -> None:
        """On the same data and port."""
        port = self.node.url.rsplit(":", 1)[1]
        self.node.arguments = (*self.node.arguments, "--port", port)
        self.node.start()

    def set_time(self, timestamp: int) -> None:
        """An empty block at this time; the follower sees it at the next turn."""
        self.node.call("evm_mine", timestamp)
        self.worker.follower.follow()

    @property
    def now(self) -> int:
        with reading(self.database, business_clock()) as work:
            return work.now

    # Brands and members

    def add_brand(self, brand_id: int, validity_months: int = 12, unlisted_points_max: int = 10**6, *, serves: bool = True) -> BrandBuilder:
        """Registered at the gateway and soon on the ledger; its signer serves, where it is to."""
        folder = self.folder / f"brand-{brand_id}"
        folder.mkdir()
        brand = BrandBuilder(brand_id, folder)
        brand.write_config(self.coalition, validity_months, unlisted_points_max)
        if serves:
            brand.start()
        self.brands[brand_id] = brand
        asked = BrandRegistration(
            brand_id,
            f"Brand {brand_id}",
            brand.key_address,
            brand.url,
            brand.token,
            brand.reference_secret,
            ISSUE_LIMIT,
            Ratio(1, 1),
            Ratio(1, 1),
            validity_months,
            False,
            Address.parse(brand_owner(brand_id).address),
        )
        with writing(self.database, business_clock()) as work:
            brands = work.of(SqlBrands)
            register_brand(asked, brands=brands, operations=work.of(SqlOperations), operation_id=new_id("brand"), now=work.now)
            registered, domain = brands.find(brand_id), work.of(SqlCoalition).facts.signing_domain
            assert registered is not None
            publish_rule(registered, AskedRule(RULE_POINTS, RULE_PER_MINOR, None), domain=domain, rules=work.of(SqlRules), now=work.now)
        return brand

    def expose(self, acceptor_id: int, issuer_id: int, most: int = ISSUE_LIMIT) -> str:
        """The accepting brand lets itself be owed so many of the issuer's points."""
        operation_id, nonce = new_id("exposure"), self.owner_acts[acceptor_id]
        self.owner_acts[acceptor_id] += 1
        act = SetExposure(acceptor_id, issuer_id, most, nonce, OPEN_END)
        with writing(self.database, business_clock()) as work:
            digest = owner_act_digest(work.of(SqlCoalition).facts.brands_domain, act)
            signed = OwnerSignature(nonce, OPEN_END, bytes(Account.unsafe_sign_hash(digest, brand_owner(acceptor_id).key).signature))
            set_exposure(issuer_id=issuer_id, most=most, signed=signed, **self._brand(work, acceptor_id), operation_id=operation_id)
        return operation_id

    def add_member(self) -> MemberId:
        """Accepted for enrolment; its key is in `member_keys`."""
        key = Account.create()
        with writing(self.database, business_clock()) as work:
            member = enroll_member(
                1,
                bytes.fromhex(key.address[2:]),
                next(_ids).to_bytes(32),
                coalition=work.of(SqlCoalition).facts,
                members=work.of(SqlMembers),
                operations=work.of(SqlOperations),
                operation_id=new_id("enroll"),
                now=work.now,
            )
        self.member_keys[member.member_id] = key
        return member.member_id

    # Entries: each returns the operation's id

    def purchase(
        self,
        brand_id: int,
        member_id: MemberId,
        gross_minor: int = 10_000,
        payment_id: str | None = None,
        till: bool = True,
        days_ago: int = 0,
    ) -> str:
        """Earns a hundredth of it in points."""
        payment_id = payment_id or new_id("payment")
        operation_id = new_id("issue")
        with writing(self.database, business_clock()) as work:
            at = datetime.fromtimestamp(work.now - days_ago * SECONDS_PER_DAY, UTC)
            purchase = Purchase(payment_id, member_id, "store", "till", "USD", gross_minor, 0, 0, at, at.date())
            self._tell(brand_id, sale_record(payment_id, str(member_id), at, gross_minor, 0, 0), till)
            record_purchase(
                purchase,
                **self._brand(work, brand_id),
                coalition=work.of(SqlCoalition).facts,
                brands=work.of(SqlBrands),
                rules=work.of(SqlRules),
                members=work.of(SqlMembers),
                purchases=work.of(SqlPurchases),
                new_id=lambda: operation_id,
            )
        return operation_id

    def refund_payment(self, brand_id: int, payment_id: str, amount_minor: int, till: bool = True) -> str:
        refund_id, operation_id = new_id("refund"), new_id("clawback")
        self._tell(brand_id, refund_record(refund_id, payment_id, amount_minor), till)
        with writing(self.database, business_clock()) as work:
            at = datetime.fromtimestamp(work.now, UTC)
            refund = PaymentRefund(refund_id, payment_id, amount_minor, at, at.date())
            record_payment_refund(
                refund,
                **self._brand(work, brand_id),
                brands=work.of(SqlBrands),
                purchases=work.of(SqlPurchases),
                payment_refunds=work.of(SqlPaymentRefunds),
                new_id=lambda: operation_id,
            )
        return operation_id

    def authorize(self, brand_id: int, member_id: MemberId, points: int, seconds: int = 3_600) -> str:
        return self._redemption(authorize, "authorize", brand_id, member_id, points, seconds)

    def redeem(self, brand_id: int, member_id: MemberId, points: int, seconds: int = 3_600, till: bool = True) -> str:
        return self._redemption(redeem, "redeem", brand_id, member_id, points, seconds, till)

    def capture(self, brand_id: int, reservation_id: ReservationId, points: int) -> str:
        operation_id, capture_id = new_id("capture"), new_id("capture")
        self.brands[brand_id].till(capture_record(capture_id, *self.ordered[reservation_id], points))
        with writing(self.database, business_clock()) as work:
            capture(
                reservation_id,
                capture_id,
                points,
                **self._brand(work, brand_id),
                reservations=work.of(SqlReservations),
                operation_id=operation_id,
            )
        return operation_id

    def void(self, brand_id: int, reservation_id: ReservationId) -> str:
        operation_id, void_id = new_id("void"), new_id("void")
        self.brands[brand_id].till(void_record(void_id, *self.ordered[reservation_id]))
        with writing(self.database, business_clock()) as work:
            void(
                reservation_id,
                void_id,
                **self._brand(work, brand_id),
                reservations=work.of(SqlReservations),
                operation_id=operation_id,
            )
        return operation_id

    def point_refund(self, brand_id: int, reservation_id: ReservationId, points: int) -> str:
        operation_id, refund_id = new_id("point-refund"), new_id("point-refund")
        self.brands[brand_id].till(point_refund_record(refund_id, *self.ordered[reservation_id], points))
        with writing(self.database, business_clock()) as work:
            brand = self._brand(work, brand_id)
            point_refund(reservation_id, refund_id, points, **brand, reservations=work.of(SqlReservations), operation_id=operation_id)
        return operation_id

    def expire(self) -> list[str]:
        """Operations for every expired lot with unreserved points."""
        with writing(self.database, business_clock()) as work:
            return run_expiry(
                coalition=work.of(SqlCoalition).facts,
                runs=work.of(SqlExpiryRuns),
                points=work.of(SqlPoints),
                operations=work.of(SqlOperations),
                new_id=lambda: new_id("expire"),
                now=work.now,
            )

    def list_late(self) -> None:
        """What tills were told of and did not list, they list now."""
        while self.unlisted:
            brand_id, record = self.unlisted.pop()
            self.brands[brand_id].till(record)

    def _tell(self, brand_id: int, record: Mapping[str, Any], till: bool) -> None:
        if till:
            self.brands[brand_id].till(record)
        else:
            self.unlisted.append((brand_id, record))

    def _redemption(
        self, operation: Any, kind: str, brand_id: int, member_id: MemberId, points: int, seconds: int, till: bool = True
    ) -> str:
        order_id, operation_id = new_id("order"), new_id(kind)
        at = datetime.fromtimestamp(self.now, UTC)
        self._tell(brand_id, order_record(order_id, str(member_id), points, at, one_step=kind == "redeem"), till)
        with writing(self.database, business_clock()) as work:
            brand = self._brand(work, brand_id)
            what = points, brand["brand"].redemption.minor_for(points), NO_ORDER
            unsigned = RedemptionRequest(order_id, member_id, *what, next(_ids), work.now + seconds, 1, b"")
            digest = consent_of(unsigned, brand["brand"]).digest(work.of(SqlCoalition).facts.signing_domain)
            self.ordered[digest] = order_id, str(member_id)
            proof = bytes(Account.unsafe_sign_hash(digest, self.member_keys[member_id].key).signature)
            request = RedemptionRequest(order_id, member_id, *what, unsigned.nonce, unsigned.deadline, 1, proof)
            operation(
                request,
                **brand,
                coalition=work.of(SqlCoalition).facts,
                members=work.of(SqlMembers),
                points=work.of(SqlPoints),
                reservations=work.of(SqlReservations),
                operation_id=operation_id,
            )
        return operation_id

    def _brand(self, work: UnitOfWork, brand_id: int) -> dict[str, Any]:
        brand = work.of(SqlBrands).find(brand_id)
        assert brand is not None
        return {"brand": brand, "operations": work.of(SqlOperations), "now": work.now}


@dataclass
class BlankGateway:
    """A node whose operator is funded and a migrated database; nothing is deployed."""

    folder: Path
    node: RunningNode
    settings: Settings
    database: Database
    chain: Chain


@contextmanager
def blank_gateway(folder: Path, **given: Any) -> Iterator[BlankGateway]:
    """A node of its own in `folder` and a gateway that has done nothing yet."""
    key_file = folder / "gateway" / "operator.key"
    create_key_file(key_file)
    operator = load_account(key_file).address
    guardian = throwaway_account("guardian").address  # acts by transactions of its own
    arguments = ("--sandbox", "--timestamp", str(START), "--operator", operator, "--operator", guardian)
    with RunningNode(folder / "node", arguments) as node:
        url = empty_database(folder / "gateway")
        place = {"data_dir": folder / "gateway", "database_url": url, "rpc_url": node.url}
        settings = settings_of({**place, "sandbox": True, "not_yet_seconds": 0, **governed_by(), **given})
        database = Database(settings.database_url)
        migrate(database.engine)
        chain = Chain(node.url)
        try:
            yield BlankGateway(folder, node, settings, database, chain)
        finally:
            chain.close()
            database.close()


@contextmanager
def running_coalition(folder: Path, brand_ids: tuple[int, ...] = (1, 2), members: int = 2, **given: Any) -> Iterator[CoalitionBuilder]:
    """A node of its own in `folder`, deployed, brands registered and members enrolled."""
    with blank_gateway(folder, **given) as blank:
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        builder = CoalitionBuilder(folder, blank.node, blank.settings, blank.database, blank.chain, worker)
        try:
            open_patiently(worker)
            for brand_id in brand_ids:
                builder.add_brand(brand_id)
            for _ in range(members):
                builder.add_member()
            builder.work_off()
            for acceptor_id, issuer_id in itertools.permutations(brand_ids, 2):
                builder.expose(acceptor_id, issuer_id)
            builder.work_off()
            yield builder
        finally:
            for brand in builder.brands.values():
                brand.stop()
            builder.worker.close()


def open_patiently(worker: LedgerWorker, seconds: float = 60) -> None:
    """Opens as the worker's own loop does: again while the node is not ready, which takes a busy machine longer than some settings wait."""
    until = monotonic() + seconds
    while True:
        try:
            worker.open()
        except Unavailable:
            if monotonic() > until:
                raise
        else:
            return


def brand_owner(brand_id: int) -> LocalAccount:
    """The key of a brand's owner, which signs no batches."""
    return throwaway_account(f"owner of {brand_id}")


def approvers() -> list[LocalAccount]:
    return [throwaway_account(f"approver {name}") for name in ("ann", "bea", "cyd")]


def governed_by() -> dict[str, Any]:
    """The settings that name who governs, without a delay."""
    accounts = [key.address for key in approvers()]
    return {
        "guardian": throwaway_account("guardian").address,
        "approvers": accounts,
        "approvals_needed": 2,
        "governance_delay_seconds": 0,
        "member_delay_seconds": 0,
    }


def new_id(kind: str) -> str:
    return f"{kind}-{next(_ids)}"
