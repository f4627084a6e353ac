"""Holds every entry of a batch against the brand's own books before it is signed; what does not fit is refused by its index and reason."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.brand_signer.config import Programme
from gateway.brand_signer.sales_register import RegisteredSale, SalesRegister
from gateway.brand_signer.signed_state import SignedState, points_of
from gateway.ledger import lots
from gateway.ledger.awards import FIRST, AwardId, award_reference, clawback_reference
from gateway.ledger.decision import BASE_RULE, SALT_LENGTH, Decision
from gateway.ledger.discounts import discount_share
from gateway.ledger.entries import (
    Authorize,
    Capture,
    Clawback,
    Entry,
    Expire,
    Issue,
    PointRefund,
    Redeem,
    Void,
    decode_entry,
    kind_of,
)
from gateway.ledger.packed_fields import MalformedEntry
from gateway.ledger.signing import reference
from gateway.loyalty.evaluate import awards_due
from gateway.loyalty.rule import rule_in_force
from gateway.values import calendar
from gateway.values.hex import BadHex, to_bytes
from gateway.values.ids import Reference

Detail = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """Why an entry is not signed."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Books:
    """What entries are held against: the programme, the sales, and the secret that keys references."""

    programme: Programme
    register: SalesRegister
    reference_secret: bytes
    utc_offset_seconds: int


def check_entries(number: int, packed: Sequence[bytes], details: Sequence[Detail], books: Books, signed: SignedState) -> list[RefusedEntry]:
    """The entries that must not be signed; earlier entries of the batch count as signed for the later ones."""
    scratch = signed.scratch()
    refused: list[RefusedEntry] = []
    for index, (data, detail) in enumerate(zip(packed, details, strict=True)):
        try:
            entry = decode_entry(data)
            _check_entry(entry, detail, books, scratch)
        except MalformedEntry:
            refused.append(RefusedEntry(index, "malformed_entry"))
        except _NotSupported as reason:
            refused.append(RefusedEntry(index, str(reason)))
        else:
            scratch.add(number, entry)
    return refused


class _NotSupported(Exception):
    """The brand's books do not support the entry; the text is the reason's code."""


def _check_entry(entry: Entry, detail: Detail, books: Books, signed: SignedState) -> None:
    _require(detail.get("kind") == kind_of(entry).name.lower(), "detail_mismatch")
    match entry:
        case Issue():
            award = _award(detail, signed.brand_id)
            _check_unused(entry.reference, award_reference(books.reference_secret, award), signed)
            _check_issue(entry, award, books)
            _check_decision(entry, award, detail)
        case Clawback():
            award = _award(detail, signed.brand_id)
            refund_id = _external_id(detail.get("refund_id"))
            _check_unused(entry.reference, clawback_reference(books.reference_secret, award, refund_id), signed)
            _check_clawback(entry, award, refund_id, books, signed)
        case Authorize() | Redeem():
            _check_reference(entry.reference, "order", detail.get("order_id"), books, signed)
            _check_redemption(entry, detail, books, signed)
        case Capture():
            _check_reference(entry.reference, "capture", detail.get("capture_id"), books, signed)
            _check_capture(entry, signed)
        case Void():
            _check_reference(entry.reference, "void", detail.get("void_id"), books, signed)
            _check_void(entry, signed)
        case PointRefund():
            _check_reference(entry.reference, "point-refund", detail.get("point_refund_id"), books, signed)
            _check_point_refund(entry, detail, books, signed)
        case Expire():
            _require(entry.points > 0 and entry.expiry_day != calendar.NEVER, "wrong_expiry")
        case _:
            raise _NotSupported("unsupported_kind")


def _check_reference(stated: Reference, prefix: str, external_id: object, books: Books, signed: SignedState) -> None:
    """The reference on the ledger is the brand's own id under its secret, and was never signed before."""
    _check_unused(stated, reference(books.reference_secret, prefix, _external_id(external_id)), signed)


def _check_unused(stated: Reference, due: Reference, signed: SignedState) -> None:
    _require(stated == due, "reference_mismatch")
    _require(stated not in signed.references, "already_signed")


def _external_id(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _NotSupported("detail_mismatch")
    return value


def _award(detail: Detail, brand_id: int) -> AwardId:
    """Which award an entry is about; one that is not named is the brand's own first."""
    named = detail.get("award", {"number": FIRST, "sold_by": brand_id})
    _require(isinstance(named, dict) and all(type(named.get(name)) is int for name in ("number", "sold_by")), "detail_mismatch")
    return AwardId(named["sold_by"], _external_id(detail.get("payment_id")), named["number"], brand_id)


def _check_issue(entry: Issue, award: AwardId, books: Books) -> None:
    """The sale earns exactly this award by the brand's own programme."""
    _require(award.sold_by == award.issuer_id, "unknown_award")  # of another brand's sales these books know nothing
    sale = books.register.sale(award.payment_id)
    if sale is None:
        raise _NotSupported("unknown_sale")
    _require(entry.member == sale.member, "wrong_member")
    rule = rule_in_force(books.programme.rules, sale.occurred_at)
    if rule is None:
        raise _NotSupported("wrong_rule_version")
    due = awards_due(award.issuer_id, rule, sale.earn_base_minor(books.programme.earn_on_tax))
    if not 0 < award.number <= len(due):
        _require(award.number == FIRST, "unknown_award")
        _require(entry.basis.programme == rule.version, "wrong_rule_version")
        raise _NotSupported("wrong_points")
    one = due[award.number - 1]
    _require(one.issuer_id == award.issuer_id, "unknown_award")
    _require(entry.basis.programme == one.rule_version, "wrong_rule_version")
    _require((entry.basis.rule, entry.basis.award) == (BASE_RULE, award.number), "wrong_award")
    _require(entry.points == one.points, "wrong_points")
    _require(_expiry_fits(entry.expiry_day, sale, books), "wrong_expiry")


def _check_decision(entry: Issue, award: AwardId, detail: Detail) -> None:
    """The issue commits to the decision that the gateway tells of, which is about this award, member and points."""
    told = detail.get("decision")
    if not isinstance(told, dict) or not isinstance(told.get("text"), str):
        raise _NotSupported("detail_mismatch")
    try:
        decision = Decision(to_bytes(told.get("salt"), SALT_LENGTH), told["text"])
        says = json.loads(decision.text)
    except (BadHex, ValueError):
        raise _NotSupported("detail_mismatch") from None
    _require(decision.hash == entry.basis.decision, "wrong_decision")
    due = {"award": award.number, "member_id": str(entry.member), "payment_id": award.payment_id, "points": entry.points}
    _require(isinstance(says, dict) and due.items() <= says.items(), "wrong_decision")


def _expiry_fits(expiry_day: int, sale: RegisteredSale, books: Books) -> bool:
    """The month end that the programme promises, counted from a day between the sale and the last on which it may be reported."""
    programme, offset = books.programme, books.utc_offset_seconds
    soonest = lots.expiry_day_for(sale.occurred_at, offset, programme.lot_validity_months)
    reported = sale.occurred_at + programme.report_days_max * calendar.SECONDS_PER_DAY
    latest = lots.expiry_day_for(reported, offset, programme.lot_validity_months)
    return soonest <= expiry_day <= latest and (expiry_day == calendar.NEVER or calendar.is_month_end(expiry_day))


def _check_clawback(entry: Clawback, award: AwardId, refund_id: str, books: Books, signed: SignedState) -> None:
    """All clawbacks of an award together take at most floor(points issued x money refunded / money paid)."""
    sale = books.register.sale(award.payment_id)
    if sale is None:
        raise _NotSupported("unknown_sale")
    refunds = books.register.refunds(sale.payment_id)
    _require(refund_id in refunds, "unknown_refund")
    of_award = award_reference(books.reference_secret, award)
    _require(entry.issue_reference == of_award, "reference_mismatch")
    issue = signed.issues.get(of_award)
    if issue is None:
        raise _NotSupported("unknown_issue")
    _require(entry.member == issue.member == sale.member, "wrong_member")
    _require(all(line.brand_id == signed.brand_id for line in entry.lines), "foreign_lot")
    refunded_minor = min(sale.paid_minor, sum(refund.amount_minor for refund in refunds.values()))
    due = issue.points * refunded_minor // sale.paid_minor
    taken = signed.clawed_back.get(of_award, 0) + points_of(entry.lines)
    _require(0 < taken <= due, "too_much_clawed_back")


def _check_redemption(entry: Authorize | Redeem, detail: Detail, books: Books, signed: SignedState) -> None:
    _require(0 < entry.points == points_of(entry.lines), "wrong_points")
    rate = books.programme.redemption
    _require(rate is None or entry.discount >= rate.minor_for(entry.points), "discount_too_low")
    _require(signed.reservation_id(entry) not in signed.reservations, "already_signed")
    order = books.register.order(detail["order_id"])
    if order is None:
        _require(entry.points <= books.programme.unlisted_points_max, "unknown_order")
        return
    _require(entry.member == order.member, "wrong_member")
    _require(entry.points <= order.points, "too_many_points")


def _check_capture(entry: Capture, signed: SignedState) -> None:
    reservation = signed.reservations.get(entry.reservation_id)
    if reservation is None:
        raise _NotSupported("unknown_reservation")
    _require(not reservation.closed, "reservation_closed")
    points = points_of(entry.lines)
    _require(0 < points <= reservation.points, "too_many_points")
    _require(entry.discount == discount_share(reservation.discount_minor, points, reservation.points), "discount_mismatch")


def _check_void(entry: Void, signed: SignedState) -> None:
    """A reservation at another brand may be voided after its deadline, which the contract sees to; it costs this brand nothing."""
    reservation = signed.reservations.get(entry.reservation_id)
    _require(reservation is None or not reservation.closed, "reservation_closed")


def _check_point_refund(entry: PointRefund, detail: Detail, books: Books, signed: SignedState) -> None:
    reservation = signed.reservations.get(entry.reservation_id)
    if reservation is None:
        raise _NotSupported("unknown_reservation")
    points = points_of(entry.lines)
    _require(0 < points <= reservation.captured - reservation.refunded, "too_many_points")
    decided = books.register.point_refund(detail["point_refund_id"])
    _require(points <= (decided.points if decided else books.programme.unlisted_points_max), "unknown_point_refund")


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise _NotSupported(reason)
