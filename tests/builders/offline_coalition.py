"""A coalition without a node: the real database and the real API; what the follower would have read is written by hand.

Good for everything that is decided before an operation goes to the ledger.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_keys.datatypes import PrivateKey
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from gateway.access.api_key import Role
from gateway.access.create_api_key import create_api_key
from gateway.access.rows import SqlApiKeys
from gateway.api.context import Context
from gateway.app import create_app
from gateway.brands.probe_signer import Asks
from gateway.coalition.tables import CoalitionRow, GovernanceActRow
from gateway.ledger.admission import AdmissionCriteria, Checklist
from gateway.ledger.brand_documents import BrandDocument
from gateway.ledger.governance import approval_digest, veto_digest
from gateway.ledger.lots import expiry_day_for, lot_id, split_lot_id
from gateway.ledger.members import authorizer_id
from gateway.ledger.signing import Domain
from gateway.members.tables import MemberRow
from gateway.projection.tables import (
    LedgerAuthorizerRow,
    LedgerBlockRow,
    LedgerBrandRow,
    LedgerBrandTermsRow,
    LedgerExposureLimitRow,
    LedgerLotRow,
    LedgerMemberLotRow,
    LedgerReservationRow,
)
from gateway.rounds.tables import OperationRow, TransactionRow
from gateway.schema import metadata
from gateway.store.session import Database
from gateway.store.unit_of_work import writing
from gateway.store.upsert import add_to_rows
from gateway.values.ids import Address, Hash, MemberId, Reference, ReservationId
from tests.builders.databases import migrated_database
from tests.builders.described_codes import check_codes

START = 1_489_536_000  # 2017-03-15T00:00:00Z
COALITION_ID = "0x" + "c0" * 32
POINTS_ADDRESS = "0x" + "99" * 20
APPROVER = PrivateKey((7_777).to_bytes(32))
OWNER = PrivateKey((7_776).to_bytes(32))
ACT, ACT_OPERATION = Hash(b"\x94" * 32), "a-waiting-act"
REGISTRATION, REGISTRATION_OPERATION = Hash(b"\x92" * 32), "a-waiting-registration"
SUCCESSION, SUCCESSION_OPERATION = Hash(b"\x93" * 32), "a-waiting-succession"
GOVERNANCE = Domain(7_951, Address(b"\x98" * 20), Hash.parse(COALITION_ID))


@dataclass(frozen=True)
class Shopper:
    """A member with the key that consents."""

    key: PrivateKey
    member_id: str

    def sign(self, digest: str) -> str:
        """The 65 bytes r, s, v that the contract takes."""
        signature = self.key.sign_msg_hash(bytes.fromhex(digest[2:]))
        proof: bytes = signature.r.to_bytes(32) + signature.s.to_bytes(32) + bytes([27 + signature.v])
        return "0x" + proof.hex()


class OfflineCoalition:
    """Brands, members and points, as far as they are needed; `now` is the wall clock of links, the ledger's head that of business."""

    def __init__(self, directory: Path, signers: Asks | None = None) -> None:
        self.database = Database(migrated_database(directory))
        self.wall_clock = START
        self.context = Context(self.database, clock=lambda: self.wall_clock, signers=signers)
        self.client = check_codes(TestClient(create_app(self.context), base_url="http://localhost")).__enter__()
        self.tokens: dict[str, str] = {}
        self._numbers = itertools.count(1)
        with self.database.write() as session:
            session.add(
                CoalitionRow(
                    single=1,
                    coalition_id=Hash.parse(COALITION_ID),
                    chain_id=7_951,
                    genesis_hash=Hash(bytes(32)),
                    currency="USD",
                    utc_offset_seconds=0,
                    sandbox=True,
                    governance_address=Address(b"\x98" * 20),
                    brands_address=Address(b"\x96" * 20),
                    members_address=Address(b"\x95" * 20),
                    settlement_address=Address(b"\x93" * 20),
                    anchors_address=Address(b"\x94" * 20),
                    points_address=Address.parse(POINTS_ADDRESS),
                    code_hash=Hash(b"\x97" * 32),
                    deployed_block=1,
                    approver_addresses=APPROVER.public_key.to_address(),
                )
            )
            session.add(LedgerBlockRow(number=1, block_hash=Hash(b"\x01" * 32), timestamp=START))
        for role in (Role.OPERATOR, Role.AUDITOR):
            self.tokens[role] = self._key(role, None)

    def close(self) -> None:
        self.client.__exit__()
        self.database.close()

    def call(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """A request by `operator`, `auditor` or a brand (`brand:1`), with a fresh idempotency key unless one is given."""
        sent = {"Idempotency-Key": f"key-{next(self._numbers)}", "Authorization": f"Bearer {self.tokens[who]}"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.client.request(method, path, json=body, headers=sent)

    def post(self, who: str, path: str, body: Any, **headers: str) -> Any:
        return self.call(who, "POST", path, body, **headers)

    def get(self, who: str, path: str) -> Any:
        return self.call(who, "GET", path)

    def brand(self, brand_id: int = 1, **changes: Any) -> int:
        """An active brand with a rule of 1 point per 100 minor units and a key of its own."""
        answer = self.post("operator", "/v1/brands", brand_body(brand_id, **changes))
        assert answer.status_code == 202, answer.text
        self.activate(brand_id)
        assert self.post("operator", f"/v1/brands/{brand_id}/rules", {"points": 1, "per_minor": 100}).status_code == 201
        self.tokens[f"brand:{brand_id}"] = self._key(Role.BRAND, brand_id)
        return brand_id

    def shopper(self, number: int = 1) -> Shopper:
        """A member enrolled on the ledger."""
        key = PrivateKey(number.to_bytes(32))
        shopper = Shopper(key, self.enroll(key, number))
        self.put_authorizer(shopper.member_id, 1, key)
        return shopper

    def enroll(self, key: PrivateKey, number: int, kind: int = 1) -> str:
        """A member as the API makes it, not on the ledger yet."""
        body = {"authorizer": {"kind": kind, "address": key.public_key.to_address()}, "salt": "0x" + number.to_bytes(32).hex()}
        answer = self.post("operator", "/v1/members", body)
        assert answer.status_code == 202, answer.text
        with self.database.write() as session:
            session.execute(update(OperationRow).where(OperationRow.kind == "enroll").values(status="confirmed"))
        return str(answer.json()["member_id"])

    def put_authorizer(self, member_id: str, kind: int, key: PrivateKey) -> None:
        address = key.public_key.to_canonical_address()
        with self.database.write() as session:
            session.add(
                LedgerAuthorizerRow(
                    member_id=MemberId.parse(member_id),
                    authorizer_id=authorizer_id(kind, address),
                    kind=kind,
                    authorizer=address,
                )
            )

    def activate(self, brand_id: int, status: str = "active", outstanding: int = 0, last_day: int = 0) -> None:
        """What the follower writes once the brand's registration is on the ledger."""
        with self.database.write() as session:
            session.execute(update(OperationRow).where(OperationRow.kind == "register_brand").values(status="confirmed"))
            session.merge(
                LedgerBrandRow(
                    brand_id=brand_id,
                    status=status,
                    issue_limit=1_000_000,
                    outstanding=outstanding,
                    last_day=last_day,
                    owner_address=Address.parse(OWNER.public_key.to_address()),
                )
            )
            session.merge(
                LedgerBrandTermsRow(
                    brand_id=brand_id,
                    number=1,
                    par_numerator=1,
                    par_denominator=1,
                    redemption_numerator=1,
                    redemption_denominator=1,
                    fee_basis_points=0,
                    run_off_days=90,
                    notice_days=30,
                    valid_from=0,
                )
            )
            for issuer_id in {*range(1, 10)} - {brand_id}:
                session.merge(LedgerExposureLimitRow(acceptor_id=brand_id, issuer_id=issuer_id, most=10**9))

    def put_pending_act(self, brand_id: int = 1) -> None:
        """A change of the brand's limit that was proposed in block 1 and waits for the one approval it needs; `ACT` is its id."""
        self._put_act(ACT_OPERATION, brand_id, "set_brand_limit", ACT, 9)

    def put_succession(self, brand_id: int = 1) -> None:
        """An act that was proposed in block 1 to replace the brand's owner, whose key is `OWNER`; `SUCCESSION` is its id."""
        self._put_act(SUCCESSION_OPERATION, brand_id, "set_brand_owner", SUCCESSION, 10)

    def put_registration(self, brand_id: int, operation_id: str = REGISTRATION_OPERATION, act: Hash = REGISTRATION) -> None:
        """An act that was proposed in block 1 and lets the brand in; `REGISTRATION` is its id."""
        self._put_act(operation_id, brand_id, "register_brand", act, act[0] - 135)

    def _put_act(self, operation_id: str, brand_id: int, kind: str, act: Hash, nonce: int) -> None:
        waiting = {"points": 0, "pending_out": 0, "body": f'{{"brand_id": {brand_id}}}', "status": "proposed", "created_at": START}
        mined = {"raw": b"", "status": "mined", "block_number": 1, "created_at": START}
        with self.database.write() as session:
            operation = OperationRow(operation_id=operation_id, brand_id=brand_id, kind=kind, **waiting)
            proposal = TransactionRow(nonce=nonce, purpose=kind, transaction_hash=Hash(bytes([140 + nonce]) * 32), **mined)
            session.add_all([operation, proposal])
            session.flush()
            session.add(
                GovernanceActRow(
                    operation_sequence=operation.sequence,
                    act_id=act,
                    target=Address(b"\x96" * 20),
                    data=b"",
                    salt=Hash(bytes(32)),
                    delay_seconds=0,
                    proposed_in=proposal.transaction_id,
                )
            )

    def put_points(self, member_id: str, points: int, brand_id: int = 1, months: int = 12, reserved: int = 0) -> int:
        """Points on the ledger in the lot that ends `months` after START; gives the lot's id."""
        lot = lot_id(brand_id, expiry_day_for(START, 0, months))
        with self.database.write() as session:
            session.merge(LedgerMemberLotRow(member_id=MemberId.parse(member_id), lot_id=lot, held=points, reserved=reserved))
            there = {"lot_id": lot, "brand_id": brand_id, "expiry_day": split_lot_id(lot)[1], "issued": points}
            amounts = dict.fromkeys(("opened", "clawed_back", "redeemed", "refunded", "expired", "restored", "moved"), 0)
            add_to_rows(session, LedgerLotRow, [{**there, **amounts}], ("issued",))
        return lot

    def put_reservation(self, reservation_id: str, member_id: str, brand_id: int, points: int, **changes: Any) -> None:
        values = {"captured": 0, "refunded": 0, "deadline": START + 3_600, "status": "open", **changes}
        with self.database.write() as session:
            session.merge(
                LedgerReservationRow(
                    reservation_id=ReservationId.parse(reservation_id),
                    member_id=MemberId.parse(member_id),
                    brand_id=brand_id,
                    reference=Reference(bytes(32)),
                    points=points,
                    **values,
                )
            )

    def finish(self, operation_id: str, status: str = "confirmed", reason: str | None = None) -> None:
        """Ends an operation."""
        with self.database.write() as session:
            session.execute(
                update(OperationRow)
                .where(OperationRow.operation_id == operation_id)
                .values(status=status, reason=reason, finished_at=START, block_number=1)
            )
        self.context.completions.notify()

    def move_time(self, timestamp: int) -> None:
        """A new head with this time."""
        with self.database.write() as session:
            number = (session.scalar(select(func.max(LedgerBlockRow.number))) or 0) + 1
            session.add(LedgerBlockRow(number=number, block_hash=Hash(number.to_bytes(32)), timestamp=timestamp))

    def consent(self, shopper: Shopper, brand_id: int, points: int, order_id: str, **changes: Any) -> dict[str, Any]:
        """A quote, signed: the body of an authorization."""
        asked = {"order_id": order_id, "member_id": shopper.member_id, "points": points, "order": {"total_minor": 5_000, "lines": ["tea"]}}
        answer = self.post(f"brand:{brand_id}", "/v1/quotes", asked)
        assert answer.status_code == 200, answer.text
        quote = answer.json()
        return {
            "order_id": order_id,
            "member_id": shopper.member_id,
            "points": quote["points"],
            "discount_minor": quote["discount_minor"],
            "order_hash": quote["order_hash"],
            "nonce": quote["nonce"],
            "deadline": quote["deadline"],
            "proof": shopper.sign(quote["reservation_id"]),
            **changes,
        }

    def row_counts(self) -> dict[str, int]:
        """Rows of every table: what left no trace leaves them alone."""
        with self.database.read() as session:
            return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in metadata().sorted_tables}

    @contextmanager
    def no_trace(self) -> Iterator[None]:
        """Asserts that nothing was written."""
        with self.no_trace_but():
            yield

    @contextmanager
    def no_trace_but(self, *tables: str) -> Iterator[None]:
        """Asserts that no rows were added or taken away but in these tables."""
        before = self.row_counts()
        yield
        after = self.row_counts()
        changed = {table for table in before if before[table] != after[table]}
        assert changed == set(tables)

    def members_stored(self) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(MemberRow)) or 0

    def _key(self, role: Role, brand_id: int | None) -> str:
        with writing(self.database, lambda: self.wall_clock) as work:
            name = f"key-of-{role}-{brand_id or ''}-{next(self._numbers)}"
            return create_api_key(name, f"secret-{name}", role, brand_id, "test", api_keys=work.of(SqlApiKeys), now=START)[1]


def brand_body(brand_id: int = 1, **changes: Any) -> dict[str, Any]:
    """A good registration."""
    return {
        "brand_id": brand_id,
        "name": f"Brand {brand_id}",
        "key_address": "0x" + f"{brand_id:02x}" * 20,
        "signer_url": f"http://127.0.0.1:{9_000 + brand_id}",
        "signer_token": "t" * 32,
        "reference_secret": "0x" + f"{brand_id:02x}" * 32,
        "issue_limit": 1_000_000,
        "par": {"numerator": 1, "denominator": 1},
        "redemption": {"numerator": 1, "denominator": 1},
        "lot_validity_months": 12,
        "owner_address": "0x" + f"{brand_id + 128:02x}" * 20,
        **changes,
    }


def approval_body(approved_at: int = START, good_until: int = 2**40 - 1, key: PrivateKey | None = None, act: Hash = ACT) -> dict[str, Any]:
    """A good approval of the act that `put_pending_act` makes."""
    signature = _signed(key or APPROVER, approval_digest(GOVERNANCE, act, approved_at, good_until))
    return {"approved_at": approved_at, "good_until": good_until, "signature": signature}


def checklist_body(
    criteria: dict[str, Any], answers: list[dict[str, str]], key: PrivateKey | None = None, act: Hash = REGISTRATION, at: int = START
) -> dict[str, Any]:
    """A signed checklist of the act that `put_registration` makes; `criteria` as the gateway tells them."""
    told = {"version": criteria["version"], "answers": answers}
    digest = Checklist.parse(told).digest(GOVERNANCE, act, AdmissionCriteria.parse(criteria), at)
    return {**told, "signature": _signed(key or APPROVER, digest)}


def veto_body(key: PrivateKey | None = None, act: Hash = SUCCESSION) -> dict[str, Any]:
    """The owner's veto of the act that `put_succession` makes."""
    return {"signature": _signed(key or OWNER, veto_digest(GOVERNANCE, act, 1))}


def document_body(number: int = 1, key: PrivateKey | None = None, **changes: Any) -> dict[str, Any]:
    """A good document of brand 1."""
    told = {"number": number, "batch_keys": ["0x" + "01" * 20], "agent_address": "0x" + "01" * 20, "api_keys": ["till"], **changes}
    domain = Domain(7_951, Address(b"\x96" * 20), Hash.parse(COALITION_ID))
    return {**told, "signature": _signed(key or OWNER, BrandDocument.parse({"brand_id": 1, **told}).digest(domain))}


def _signed(key: PrivateKey, digest: bytes) -> str:
    signed = key.sign_msg_hash(digest)
    return "0x" + (signed.r.to_bytes(32) + signed.s.to_bytes(32) + bytes([27 + signed.v])).hex()


def purchase_body(payment_id: str = "pay-1", **changes: Any) -> dict[str, Any]:
    """A good purchase of 25.00, without a member unless one is given."""
    return {
        "payment_id": payment_id,
        "store": "31",
        "channel": "till",
        "currency": "USD",
        "gross_minor": 2_500,
        "tax_minor": 0,
        "paid_with_points_minor": 0,
        "occurred_at": "2017-03-15T00:30:00+00:00",
        "business_date": "2017-03-15",
        "lines": [{"category": "grocery", "quantity": 2, "amount_minor": 2_500}],
        **changes,
    }
