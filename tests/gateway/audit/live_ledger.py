"""A small coalition for the audit: the real node, the real contracts, a real database and the real follower.

Operator and brands do here whatever a test tells them, rogue things too; honest batches leave the same rows as the gateway's write path.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from coincurve import PrivateKey
from eth_hash.auto import keccak
from eth_utils import to_checksum_address

from gateway.brands.tables import BrandRow
from gateway.chain.artifacts import DEPLOYED, brands, governance, members, points_ledger
from gateway.chain.connection import Chain
from gateway.coalition.coalition import Coalition
from gateway.coalition.tables import CoalitionRow
from gateway.ledger.batches import shown_issue
from gateway.ledger.consents import NO_ORDER, ConsentTerms, consent_digest, reservation_id_of
from gateway.ledger.entries import Authorize, Clawback, ConsentProof, Entry, Issue, Redeem, encode_entry, kind_of
from gateway.ledger.framing import pack_entries
from gateway.ledger.governance import act_id, approval_digest
from gateway.ledger.lots import Line
from gateway.ledger.member_acts import Grant, SetGuardian, SpendLock, Unlock, delayed_act_arguments, member_act_digest
from gateway.ledger.members import member_id
from gateway.ledger.owner_acts import SetExposure, owner_act_digest
from gateway.ledger.signing import Domain, batch_digest, reference
from gateway.purchases.shortfalls import SqlShortfalls
from gateway.purchases.tables import AwardClawbackRow, AwardRow, PaymentRefundRow, PurchaseRow
from gateway.rounds.completion import Completions
from gateway.rounds.deployment import contract_address
from gateway.rounds.follower import Follower
from gateway.rounds.tables import BatchRow, OperationRow, ReferenceRow
from gateway.store.session import Database
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.ids import Address, Hash, MemberId, Reference, ReservationId
from tests.builders.databases import migrated_database
from tests.builders.issues import BASIS
from tests.node.running_node import RunningNode, throwaway_account

START = 1_767_225_600  # 2026-01-01 00:00 UTC
DAY = 86_400
JANUARY, MARCH, JUNE = 20_484, 20_543, 20_634  # lots by their last day in 2026
GROCER, FUEL = 1, 2
LIMIT = 10_000
FOREVER = 2**40 - 1


class LiveLedger:
    """Two brands and the members `anna`, `ben` and `cara`, who only acts. Use as a context manager."""

    def __init__(self, folder: Path, verifier: str = "passkey_verifier") -> None:
        """Members go by the contract named as the verifier of passkeys."""
        self.verifier = verifier
        self.operator = throwaway_account("operator")
        arguments = ("--sandbox", "--operator", self.operator.address, "--timestamp", str(START))
        self.node = RunningNode(folder / "node", arguments)
        self.database = Database(migrated_database(folder))
        self.packed: dict[tuple[int, int], list[bytes]] = {}
        self.numbers = dict.fromkeys((GROCER, FUEL), 0)
        self.operations = 0
        self.acts = 0
        self.before_expiry = 0  # the last block in which `ben` holds points

    def __enter__(self) -> LiveLedger:
        self.node.start()
        try:
            self._begin()
        except BaseException:
            self.node.kill()
            raise
        return self

    def _begin(self) -> None:
        assert self.node.ready is not None
        self.chain = Chain(self.node.url)
        self.coalition_id = Hash.parse(self.node.ready["coalition_id"])
        people = address_of(GUARDIAN), [address_of(APPROVER)]
        at = {name: contract_address(Address.parse(self.operator.address), nonce) for nonce, name in enumerate(DEPLOYED)}
        self.governance, self.brands, self.address = at["governance"], at["brands"], at["points_ledger"]
        self.registers = {"brands_address": at["brands"], "members_address": at["members"]}
        self.registers |= {"settlement_address": at["settlement"], "anchors_address": at["anchors"]}
        arguments = {
            "governance": (self.coalition_id, (True, 0, self.operator.address, *people, 1)),
            "brands": (self.governance, 0),
            "members": (self.governance, at[self.verifier], self.address, 2 * SECONDS_PER_DAY),
            "settlement": (self.governance, at["brands"], self.address),
            "anchors": (self.coalition_id,),
            "points_ledger": (self.governance, at["brands"], at["members"], at["settlement"], b"USD"),
        }
        for name, artifact in DEPLOYED.items():
            assert self._deploy(artifact().creation(*arguments.get(name, ()))) == at[name]
        self.domain = Domain(self.node.chain_id, self.address, self.coalition_id)
        self.members = {name: self._enroll(name) for name in ("anna", "ben", "cara")}
        self._store_coalition()
        for brand in (GROCER, FUEL):
            owner, key = address_of(key_of(f"owner {brand}")), address_of(key_of(f"brand {brand}"))
            self.by_governance("registerBrand", (brand, owner, LIMIT, (1, 1, 1, 1, 0, 90, 30), key, (0, FOREVER, False)))
        for acceptor, issuer in ((GROCER, FUEL), (FUEL, GROCER)):
            self.expose(acceptor, issuer, LIMIT, 0)
        places = {"governance_address": self.governance, **self.registers, "points_address": self.address}
        coalition = Coalition(self.coalition_id, self.node.chain_id, "USD", 0, True, **places)
        self.follower = Follower(self.database, self.chain, coalition, Completions(), SqlShortfalls())
        self.follower.follow()

    def __exit__(self, *_: object) -> None:
        self.chain.close()
        self.database.close()
        self.node.kill()

    # What operator and brands do

    def by_governance(self, function: str, *arguments: Any) -> None:
        """Proposed by the operator, approved, executed."""
        data, self.acts = brands().call(function, *arguments), self.acts + 1
        salt = Hash(self.acts.to_bytes(32))
        act = (self.brands, 0, data, bytes(32), salt)
        receipt = self.send(governance().call("schedule", *act, 0), self.governance)
        proposed_at = int(self.node.call("eth_getBlockByNumber", receipt["blockNumber"], False)["timestamp"], 16)
        domain = Domain(self.node.chain_id, self.governance, self.coalition_id)
        signature = sign(APPROVER, approval_digest(domain, act_id(self.brands, data, salt), proposed_at, FOREVER))
        self.send(governance().call("executeApproved", *act, [(proposed_at, FOREVER, signature)]), self.governance)

    def expose(self, acceptor: int, issuer: int, most: int, nonce: int) -> None:
        """Signed by the accepting brand's owner, as its act number `nonce`."""
        act = SetExposure(acceptor, issuer, most, nonce, FOREVER)
        signature = sign(key_of(f"owner {acceptor}"), owner_act_digest(replace(self.domain, verifying_contract=self.brands), act))
        self.send(brands().call("setExposure", acceptor, issuer, most, (nonce, FOREVER, signature)), self.brands)

    def head(self) -> int:
        """The newest block's number."""
        return int(self.node.call("eth_blockNumber"), 16)

    def at(self, timestamp: int) -> None:
        """The next block's time."""
        self.node.call("evm_setNextBlockTimestamp", hex(timestamp))

    def submit(self, brand: int, *entries: Entry, stored: bool = True) -> tuple[int, int]:
        """A batch of the brand on ledger and projection; `stored` says whether the gateway wrote it down before. (brand, number)"""
        self.numbers[brand] += 1
        number = self.numbers[brand]
        packed = [encode_entry(entry) for entry in entries]
        if stored:
            self._store(brand, number, entries, packed)
        self.packed[brand, number] = packed
        data = pack_entries(packed)
        digest = batch_digest(self.domain, brand, number, keccak(data), FOREVER)
        signature = sign(key_of(f"brand {brand}"), digest)
        self.send(points_ledger().call("submitBatch", (brand, number, FOREVER), data, signature))
        self.follower.follow()
        return brand, number

    def act_for(self, name: str, act: Grant | SetGuardian | SpendLock | Unlock) -> None:
        """What the member called `name` signs, relayed."""
        digest = member_act_digest(Domain(self.node.chain_id, self.registers["members_address"], self.coalition_id), act)
        proof = 1, sign(key_of(name), digest)
        match act:
            case Grant():
                data = members().call("setGrant", astuple(act), *proof)
            case SpendLock():
                data = members().call("lockSpending", *astuple(act), *proof)
            case _:
                data = members().call("requestAct", delayed_act_arguments(act), *proof)
        self.send(data, self.registers["members_address"])
        self.follower.follow()

    # Entries

    def issue(self, brand: int, name: str, payment_id: str, points: int, expiry_day: int) -> Issue:
        return Issue(self.members[name], expiry_day, points, BASIS, self.reference(brand, "payment", payment_id))

    def clawback(self, brand: int, name: str, refund: str, of: tuple[int, int], *lines: Line) -> Clawback:
        """Of an issue, by batch number and index; nothing of its batch was refused."""
        number, index = of
        shown = shown_issue(number, self.packed[brand, number], index, [])
        return Clawback(self.members[name], self.reference(brand, "refund", refund), shown, lines)

    def consented(
        self, kind: type[Authorize] | type[Redeem], brand: int, name: str, order_id: str, lines: Sequence[Line], deadline: int
    ) -> Authorize | Redeem:
        points = sum(line.points for line in lines)
        member, keyed = self.members[name], self.reference(brand, "order", order_id)
        digest = consent_digest(self.domain, ConsentTerms(member, member, brand, points, points, NO_ORDER, keyed, 1, deadline))
        proof = ConsentProof(1, sign(key_of(name), digest))
        return kind(member, keyed, NO_ORDER, 1, deadline, points, points, proof, tuple(lines))

    def reservation_of(self, brand: int, entry: Authorize | Redeem) -> ReservationId:
        return reservation_id_of(self.domain, brand, entry)

    def reference(self, brand: int, prefix: str, external_id: str) -> Reference:
        return reference(secret_of(brand), prefix, external_id)

    # Below

    def send(self, data: bytes, to: Address | None = None, gas: int = 8_000_000) -> dict[str, Any]:
        receipt = self.node.send(self.operator, to=to_checksum_address(str(to or self.address)), data="0x" + data.hex(), gas=gas)
        assert receipt["status"] == "0x1", receipt
        return receipt

    def _deploy(self, creation: bytes) -> Address:
        receipt = self.node.send(self.operator, data="0x" + creation.hex(), gas=16_000_000)
        assert receipt["status"] == "0x1", receipt
        return Address.parse(receipt["contractAddress"])

    def _enroll(self, name: str) -> MemberId:
        authorizer = address_of(key_of(name))
        self.send(members().call("enroll", [(1, authorizer, bytes(32))]), self.registers["members_address"])
        return member_id(self.coalition_id, 1, authorizer, bytes(32))

    def _store_coalition(self) -> None:
        assert self.node.ready is not None
        with self.database.write() as session:
            session.add(
                CoalitionRow(
                    single=1,
                    coalition_id=self.coalition_id,
                    chain_id=self.node.chain_id,
                    genesis_hash=Hash.parse(self.node.ready["genesis_hash"]),
                    currency="USD",
                    utc_offset_seconds=0,
                    sandbox=True,
                    governance_address=self.governance,
                    **self.registers,
                    points_address=self.address,
                    code_hash=None,
                    deployed_block=1,
                )
            )
            session.add_all(_brand_row(brand) for brand in (GROCER, FUEL))

    def _store(self, brand: int, number: int, entries: Sequence[Entry], packed: Sequence[bytes]) -> None:
        """What the write path has in the database once a batch is signed."""
        with self.database.write() as session:
            batch = BatchRow(
                brand_id=brand,
                number=number,
                deadline=FOREVER,
                entries=pack_entries(packed),
                entry_count=len(packed),
                signature=b"",
                status="sent",
                created_at=START,
            )
            session.add(batch)
            session.flush()
            for index, entry in enumerate(entries):
                self.operations += 1
                operation = _operation_row(f"operation {self.operations}", brand, entry)
                operation.batch_id, operation.entry_index = batch.batch_id, index
                session.add(operation)
                if isinstance(entry, Issue):
                    purchase = _purchase_row(brand, entry)
                    session.add(purchase)
                    session.flush()
                    session.add(_award_row(purchase.purchase_id, brand, entry, operation.operation_id))
                elif isinstance(entry, Clawback):
                    payment_refund = _payment_refund_row(brand, entry)
                    session.add(payment_refund)
                    session.flush()
                    session.add(_award_clawback_row(payment_refund.payment_refund_id, brand, entry, operation.operation_id))
                if operation.reference is not None:
                    kind, operation_id = operation.kind, operation.operation_id
                    session.merge(ReferenceRow(brand_id=brand, reference=operation.reference, kind=kind, operation_id=operation_id))


PAYMENT_IDS = {
    reference(keccak(b"secret %d" % brand), "payment", f"payment {number}"): f"payment {number}"
    for brand in (GROCER, FUEL)
    for number in range(1, 50)
}
REFUND_IDS = {
    reference(keccak(b"secret %d" % brand), "refund", str(number)): str(number) for brand in (GROCER, FUEL) for number in range(1, 50)
}


def secret_of(brand: int) -> bytes:
    return keccak(b"secret %d" % brand)


def key_of(name: str) -> PrivateKey:
    return PrivateKey(keccak(f"key of {name}".encode()))


def address_of(key: PrivateKey) -> Address:
    return Address(keccak(key.public_key.format(compressed=False)[1:])[12:])


GUARDIAN, APPROVER = key_of("guardian"), key_of("approver")


def sign(key: PrivateKey, digest: bytes) -> bytes:
    signature = key.sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([signature[64] + 27])


def _brand_row(brand: int) -> BrandRow:
    return BrandRow(
        brand_id=brand,
        name=f"brand {brand}",
        reference_secret=secret_of(brand),
        signer_url="http://127.0.0.1:1",
        signer_token="token",
        key_address=address_of(key_of(f"brand {brand}")),
        issue_limit=LIMIT,
        par_numerator=1,
        par_denominator=1,
        redemption_numerator=1,
        redemption_denominator=1,
        lot_validity_months=12,
        earn_on_tax=True,
        operation_id="",
        created_at=START,
    )


def _operation_row(operation_id: str, brand: int, entry: Entry) -> OperationRow:
    member, found = getattr(entry, "member", None), getattr(entry, "reference", None)
    lines = getattr(entry, "lines", ())
    return OperationRow(
        operation_id=operation_id,
        brand_id=brand,
        kind=kind_of(entry).name.lower(),
        member_id=member or None,
        points=getattr(entry, "points", sum(line.points for line in lines)),
        pending_out=0,
        reference=found or None,
        reservation_id=None,
        body=json.dumps({}),
        status="packed",
        created_at=START,
    )


def _purchase_row(brand: int, entry: Issue) -> PurchaseRow:
    return PurchaseRow(
        brand_id=brand,
        payment_id=PAYMENT_IDS[entry.reference],
        member_id=entry.member,
        store="1",
        channel="store",
        currency="USD",
        gross_minor=entry.points,
        tax_minor=0,
        paid_with_points_minor=0,
        occurred_at="2026-01-01T00:00:00+00:00",
        business_date="2026-01-01",
        rule_version=1,
        reference=entry.reference,
        content_hash=Hash(bytes(32)),
    )


def _award_row(purchase_id: int, brand: int, entry: Issue, operation_id: str) -> AwardRow:
    return AwardRow(
        purchase_id=purchase_id,
        number=1,
        issuer_id=brand,
        member_id=entry.member,
        points=entry.points,
        expiry_day=entry.expiry_day,
        rule="base",
        rule_version=1,
        why="{}",
        decision="{}",
        decision_salt=bytes(32),
        reference=entry.reference,
        operation_id=operation_id,
        refused=None,
    )


def _payment_refund_row(brand: int, entry: Clawback) -> PaymentRefundRow:
    return PaymentRefundRow(
        brand_id=brand,
        refund_id=REFUND_IDS[entry.reference],
        payment_id=PAYMENT_IDS[Reference(entry.issue.entry[-32:])],
        amount_minor=_points_taken(entry),
        occurred_at="2026-01-01T00:00:00+00:00",
        business_date="2026-01-01",
        reference=entry.reference,
        content_hash=Hash(bytes(32)),
    )


def _award_clawback_row(payment_refund_id: int, brand: int, entry: Clawback, operation_id: str) -> AwardClawbackRow:
    return AwardClawbackRow(
        payment_refund_id=payment_refund_id,
        number=1,
        issuer_id=brand,
        points_due=_points_taken(entry),
        points_short=0,
        reference=entry.reference,
        operation_id=operation_id,
    )


def _points_taken(entry: Clawback) -> int:
    return sum(line.points for line in entry.lines)
