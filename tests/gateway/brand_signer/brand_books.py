"""A brand with its books and a signer over them, and entries as the gateway would pack them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.brand_signer.books import Books
from gateway.brand_signer.config import Programme
from gateway.brand_signer.journal import Journal
from gateway.brand_signer.key import Key
from gateway.brand_signer.register_writer import (
    RegisterWriter,
    capture_record,
    order_record,
    point_refund_record,
    refund_record,
    sale_record,
    void_record,
)
from gateway.brand_signer.sales_register import FileRegister
from gateway.brand_signer.sign_batch import BatchRequest, BatchSigner, EntriesRefused
from gateway.ledger.awards import AwardId, award_reference, clawback_reference
from gateway.ledger.consents import NO_ORDER, ConsentTerms, consent_digest
from gateway.ledger.decision import BASE_RULE, Decision
from gateway.ledger.entries import (
    Authorize,
    Capture,
    Clawback,
    ConsentProof,
    Entry,
    Expire,
    Issue,
    PointRefund,
    Redeem,
    Transfer,
    Void,
    encode_entry,
    kind_of,
)
from gateway.ledger.framing import pack_entries
from gateway.ledger.issue_parts import AwardBasis, ShownIssue
from gateway.ledger.lots import Line, expiry_day_for
from gateway.ledger.signing import Domain, reference
from gateway.loyalty.rule import EarningRule
from gateway.values.hex import hex_text
from gateway.values.ids import Address, Hash, MemberId, Reference, ReservationId
from gateway.values.money import Ratio
from gateway.values.points import Points

BRAND = 7
OTHER_BRAND = 8
SECRET = b"s" * 32
DOMAIN = Domain(1337, Address(b"\x11" * 20), Hash(b"\x22" * 32))
MEMBER = MemberId(b"\x33" * 20)
STRANGER = MemberId(b"\x44" * 20)
SOLD_AT = datetime(2017, 1, 20, 15, 0, tzinfo=UTC)
EXPIRY_DAY = expiry_day_for(int(SOLD_AT.timestamp()), 0, 2)
LATER = int(datetime(2017, 6, 1, tzinfo=UTC).timestamp())
DEADLINE = 1_500_000_000
FEBRUARY = int(datetime(2017, 2, 1, tzinfo=UTC).timestamp())
PROGRAMME = Programme(
    rules=(EarningRule(1, 1, 100, 0, 0), EarningRule(2, 2, 100, FEBRUARY, FEBRUARY)),
    earn_on_tax=False,
    lot_validity_months=2,
    unlisted_points_max=20,
    report_days_max=31,
    redemption=Ratio(4, 5),
)

Entered = tuple[Entry, dict[str, Any]]


@dataclass
class Brand:
    """Books in a folder. `signer` opens the journal anew each time, as after a restart. `now`: None on a sandbox chain."""

    folder: Path
    programme: Programme = PROGRAMME
    key: Key = field(default_factory=lambda: Key(b"\x01" * 32))
    now: int | None = LATER
    journals: list[Journal] = field(default_factory=list)
    followed: list[EarningRule] = field(default_factory=list)
    rule_overlap_seconds: int = 0

    def __post_init__(self) -> None:
        self.till = RegisterWriter(self.folder / "sales.jsonl")

    def signer(self) -> BatchSigner:
        self.close()
        self.journals.append(Journal(self.folder / "signed.jsonl", DOMAIN, BRAND))
        now = self.now
        clock = None if now is None else lambda: now
        books = Books(
            self.programme,
            FileRegister(self.folder / "sales.jsonl", SECRET),
            SECRET,
            0,
            clock,
            lambda: self.followed,
            self.rule_overlap_seconds,
        )
        return BatchSigner(self.key, DOMAIN, BRAND, books, self.journals[-1])

    def close(self) -> None:
        while self.journals:
            self.journals.pop().close()

    def sell(
        self, payment_id: str, gross_minor: int, member: MemberId | None = MEMBER, *, points_minor: int = 0, at: datetime = SOLD_AT
    ) -> None:
        """A tenth of the gross is tax."""
        member_id = str(member) if member else None
        self.till.append([sale_record(payment_id, member_id, at, gross_minor, gross_minor // 10, points_minor)])

    def refund(self, refund_id: str, payment_id: str, amount_minor: int) -> None:
        self.till.append([refund_record(refund_id, payment_id, amount_minor)])

    def order(self, order_id: str, points: int, member: MemberId = MEMBER, *, one_step: bool = True) -> None:
        self.till.append([order_record(order_id, str(member), points, one_step=one_step)])

    def order_of_an_earlier_till(self, order_id: str, points: int) -> None:
        """Which said nothing of steps."""
        self.till.append([{"type": "order", "order_id": order_id, "member_id": str(MEMBER), "points": points}])

    def take(self, capture_id: str, order_id: str, points: int, member: MemberId = MEMBER) -> None:
        self.till.append([capture_record(capture_id, order_id, str(member), points)])

    def give_back(self, point_refund_id: str, order_id: str, points: int, member: MemberId = MEMBER) -> None:
        self.till.append([point_refund_record(point_refund_id, order_id, str(member), points)])

    def let_go(self, void_id: str, order_id: str, member: MemberId = MEMBER) -> None:
        self.till.append([void_record(void_id, order_id, str(member))])


def issue(payment_id: str, points: int, *, member: MemberId = MEMBER, expiry_day: int = EXPIRY_DAY, rule_version: int = 1) -> Entered:
    decision = decided(payment_id, 1, points, member)
    basis = AwardBasis(rule_version, BASE_RULE, 1, decision.hash)
    entry = Issue(member, expiry_day, points, basis, reference(SECRET, "payment", payment_id))
    return entry, {"kind": "issue", "payment_id": payment_id, "decision": told(decision)}


def decided(payment_id: str, number: int, points: int, member: MemberId = MEMBER) -> Decision:
    return Decision.of(bytes(32), {"award": number, "member_id": str(member), "payment_id": payment_id, "points": points})


def told(decision: Decision) -> dict[str, str]:
    return {"salt": hex_text(decision.salt), "text": decision.text}


def award_issue(payment_id: str, number: int, points: int, *, sold_by: int = BRAND, basis_award: int | None = None) -> Entered:
    """The issue of an award that its detail names."""
    named = AwardId(sold_by, payment_id, number, BRAND)
    decision = decided(payment_id, number, points)
    fits = number if 0 < number < 2**16 else 1
    basis = AwardBasis(1, BASE_RULE, basis_award or fits, decision.hash)
    entry = Issue(MEMBER, EXPIRY_DAY, points, basis, award_reference(SECRET, named))
    award = {"number": number, "sold_by": sold_by}
    return entry, {"kind": "issue", "payment_id": payment_id, "award": award, "decision": told(decision)}


def shown(of: Reference) -> ShownIssue:
    """An issue under this reference, alone in its batch."""
    return ShownIssue(1, 0, 1, (), (), encode_entry(Issue(MEMBER, EXPIRY_DAY, 1, AwardBasis(1, BASE_RULE, 1, Hash(bytes(32))), of)))


def clawback(refund_id: str, payment_id: str, points: int, *, member: MemberId = MEMBER, brand: int = BRAND) -> Entered:
    lines = (Line(brand, EXPIRY_DAY, points),)
    entry = Clawback(member, reference(SECRET, "refund", refund_id), shown(reference(SECRET, "payment", payment_id)), lines)
    return entry, {"kind": "clawback", "refund_id": refund_id, "payment_id": payment_id}


def award_clawback(refund_id: str, payment_id: str, number: int, points: int, *, sold_by: int = BRAND) -> Entered:
    """The clawback of an award that its detail names."""
    named = AwardId(sold_by, payment_id, number, BRAND)
    lines = (Line(BRAND, EXPIRY_DAY, points),)
    entry = Clawback(MEMBER, clawback_reference(SECRET, named, refund_id), shown(award_reference(SECRET, named)), lines)
    award = {"number": number, "sold_by": sold_by}
    return entry, {"kind": "clawback", "refund_id": refund_id, "payment_id": payment_id, "award": award}


def authorize(
    order_id: str,
    points: int,
    *,
    member: MemberId = MEMBER,
    lines_points: int | None = None,
    discount: int | None = None,
    redeem: bool = False,
) -> Entered:
    lines = (Line(OTHER_BRAND, EXPIRY_DAY, points if lines_points is None else lines_points),)
    shape = Redeem if redeem else Authorize
    terms = (reference(SECRET, "order", order_id), NO_ORDER, 5, DEADLINE, points, points if discount is None else discount)
    entry = shape(member, *terms, ConsentProof(1, b"\x00" * 65), lines)
    return entry, {"kind": "redeem" if redeem else "authorize", "order_id": order_id}


def reservation_of(order_id: str, points: int, discount: int | None = None, member: MemberId = MEMBER) -> ReservationId:
    keyed, given = reference(SECRET, "order", order_id), points if discount is None else discount
    return consent_digest(DOMAIN, ConsentTerms(member, member, BRAND, points, given, NO_ORDER, keyed, 5, DEADLINE))


def capture(capture_id: str, reservation: ReservationId, points: int, discount: int | None = None) -> Entered:
    share = points if discount is None else discount
    entry = Capture(reservation, reference(SECRET, "capture", capture_id), share, (Line(OTHER_BRAND, EXPIRY_DAY, points),))
    return entry, {"kind": "capture", "capture_id": capture_id}


def void(void_id: str, reservation: ReservationId, points: int) -> Entered:
    entry = Void(reservation, reference(SECRET, "void", void_id), (Line(OTHER_BRAND, EXPIRY_DAY, points),))
    return entry, {"kind": "void", "void_id": void_id}


def point_refund(point_refund_id: str, reservation: ReservationId, points: int) -> Entered:
    entry = PointRefund(reservation, reference(SECRET, "point-refund", point_refund_id), points, (Line(OTHER_BRAND, EXPIRY_DAY, points),))
    return entry, {"kind": "point_refund", "point_refund_id": point_refund_id}


def expire(points: int, expiry_day: int = EXPIRY_DAY) -> Entered:
    return Expire(MEMBER, expiry_day, points), {"kind": "expire"}


def transfer(points: int, *, taker: MemberId = STRANGER, nonce: int = 1) -> Entered:
    """Of which the books know nothing: two members have signed it."""
    proof = ConsentProof(1, b"\x00" * 65)
    lines = (Line(OTHER_BRAND, EXPIRY_DAY, Points(points)),)
    return Transfer(MEMBER, taker, nonce, DEADLINE, proof, proof, lines), {"kind": "transfer"}


def batch(number: int, *entered: Entered, deadline: int = DEADLINE, brand: int = BRAND) -> BatchRequest:
    packed = [encode_entry(entry) for entry, _ in entered]
    assert all(kind_of(entry).name.lower() == detail["kind"] for entry, detail in entered)
    details = tuple(detail for _, detail in entered)
    return BatchRequest(brand, number, deadline, pack_entries(packed), details)


def refusals(signer: BatchSigner, number: int, entered: Sequence[Entered]) -> list[tuple[int, str]]:
    """What the signer refuses of a batch; empty when it signs."""
    try:
        signer.sign(batch(number, *entered))
    except EntriesRefused as answer:
        return [(one.index, one.reason) for one in answer.refused]
    return []
