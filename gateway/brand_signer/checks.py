"""Holds every entry of a batch against the brand's own books before it is signed; what does not fit is refused by its index and reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from gateway.brand_signer.books import Books, Detail, NotSupported, check_unused, due_back, expiry_fits, external_id, is_late, require
from gateway.brand_signer.lot_checks import check_extension, check_opening, check_restore
from gateway.brand_signer.redemption_checks import check_capture, check_point_refund, check_redemption, check_void
from gateway.brand_signer.signed_state import SignedState, points_of
from gateway.ledger.awards import FIRST, AwardId, award_reference
from gateway.ledger.decision import BASE_RULE, SALT_LENGTH, Decision
from gateway.ledger.entries import (
    Authorize,
    Capture,
    Clawback,
    Entry,
    Expire,
    Extend,
    Issue,
    Opening,
    PointRefund,
    Redeem,
    Restore,
    Transfer,
    Void,
    decode_entry,
    kind_of,
)
from gateway.ledger.lot_references import carried_reference
from gateway.ledger.packed_fields import MalformedEntry
from gateway.ledger.signing import reference
from gateway.loyalty.evaluate import awards_due
from gateway.values import calendar
from gateway.values.hex import BadHex, to_bytes
from gateway.values.ids import Reference


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """Why an entry is not signed; `number`: the batch in which it was signed before."""

    index: int
    reason: str
    number: int | None = None


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
        except NotSupported as reason:
            refused.append(RefusedEntry(index, str(reason), _number_of(entry, signed) if str(reason) == "already_signed" else None))
        else:
            scratch.add(number, entry)
    return refused


def _number_of(entry: Entry, signed: SignedState) -> int | None:
    """The batch in which an entry's reference was signed."""
    reference: Reference | None = getattr(entry, "reference", None)
    return None if reference is None else signed.references.get(reference)


def _check_entry(entry: Entry, detail: Detail, books: Books, signed: SignedState) -> None:
    require(detail.get("kind") == kind_of(entry).name.lower(), "detail_mismatch")
    match entry:
        case Issue():
            award = _award(detail, signed.brand_id)
            check_unused(entry.reference, award_reference(books.reference_secret, award), signed)
            _check_issue(entry, award, books)
            _check_decision(entry, award, detail)
        case Clawback():
            award = _award(detail, signed.brand_id)
            refund_id = external_id(detail.get("refund_id"))
            part = detail.get("part", 0)
            require(type(part) is int and part >= 0, "detail_mismatch")
            check_unused(entry.reference, carried_reference(books.reference_secret, award, refund_id, part), signed)
            _check_clawback(entry, award, refund_id, books, signed)
        case Restore():
            check_restore(entry, _award(detail, signed.brand_id), detail, books, signed)
        case Opening():
            check_opening(entry, detail, books, signed)
        case Extend():
            check_extension(entry, detail, books, signed)
        case Authorize() | Redeem():
            _check_reference(entry.reference, "order", detail.get("order_id"), books, signed)
            check_redemption(entry, books, signed)
        case Capture():
            _check_reference(entry.reference, "capture", detail.get("capture_id"), books, signed)
            check_capture(entry, external_id(detail["capture_id"]), books, signed)
        case Void():
            _check_reference(entry.reference, "void", detail.get("void_id"), books, signed)
            check_void(entry, external_id(detail["void_id"]), books, signed)
        case PointRefund():
            _check_reference(entry.reference, "point-refund", detail.get("point_refund_id"), books, signed)
            check_point_refund(entry, external_id(detail["point_refund_id"]), books, signed)
        case Expire():
            require(entry.points > 0 and entry.expiry_day != calendar.NEVER, "wrong_expiry")
            require(books.is_over(entry.expiry_day), "lot_not_expired")
        case Transfer():
            _check_transfer(entry, signed)
        case _:
            assert_never(entry)


def _check_reference(stated: Reference, prefix: str, named: object, books: Books, signed: SignedState) -> None:
    """The reference on the ledger is the brand's own id under its secret, and was never signed before."""
    check_unused(stated, reference(books.reference_secret, prefix, external_id(named)), signed)


def _award(detail: Detail, brand_id: int) -> AwardId:
    """Which award an entry is about; one that is not named is the brand's own first."""
    named = detail.get("award", {"number": FIRST, "sold_by": brand_id})
    require(isinstance(named, dict) and all(type(named.get(name)) is int for name in ("number", "sold_by")), "detail_mismatch")
    return AwardId(named["sold_by"], external_id(detail.get("payment_id")), named["number"], brand_id)


def _check_issue(entry: Issue, award: AwardId, books: Books) -> None:
    """The sale earns exactly this award by the brand's own programme."""
    require(award.sold_by == award.issuer_id, "unknown_award")  # of another brand's sales these books know nothing
    sale = books.register.sale(award.payment_id)
    if sale is None:
        raise NotSupported("unknown_sale")
    require(entry.member == sale.member, "wrong_member")
    rule = books.rule_for(sale.occurred_at, entry.basis.programme)
    if rule is None:
        raise NotSupported("wrong_rule_version")
    due = awards_due(award.issuer_id, rule, sale.earn_base_minor(books.programme.earn_on_tax))
    if not 0 < award.number <= len(due):
        require(award.number == FIRST, "unknown_award")
        require(entry.basis.programme == rule.version, "wrong_rule_version")
        raise NotSupported("wrong_points")
    one = due[award.number - 1]
    require(one.issuer_id == award.issuer_id, "unknown_award")
    require(entry.basis.programme == one.rule_version, "wrong_rule_version")
    require((entry.basis.rule, entry.basis.award) == (BASE_RULE, award.number), "wrong_award")
    require(entry.points == one.points, "wrong_points")
    require(not is_late(entry.expiry_day, sale.occurred_at, books), "reported_late")
    require(expiry_fits(entry.expiry_day, sale.occurred_at, books), "wrong_expiry")


def _check_decision(entry: Issue, award: AwardId, detail: Detail) -> None:
    """The issue commits to the decision that the gateway tells of, which is about this award, member and points."""
    told = detail.get("decision")
    if not isinstance(told, dict) or not isinstance(told.get("text"), str):
        raise NotSupported("detail_mismatch")
    try:
        decision = Decision(to_bytes(told.get("salt"), SALT_LENGTH), told["text"])
        says = json.loads(decision.text)
    except (BadHex, ValueError):
        raise NotSupported("detail_mismatch") from None
    require(decision.hash == entry.basis.decision, "wrong_decision")
    due = {"award": award.number, "member_id": str(entry.member), "payment_id": award.payment_id, "points": entry.points}
    require(isinstance(says, dict) and due.items() <= says.items(), "wrong_decision")


def _check_clawback(entry: Clawback, award: AwardId, refund_id: str, books: Books, signed: SignedState) -> None:
    """All clawbacks of an award together take at most floor(points issued x money refunded / money paid)."""
    sale = books.register.sale(award.payment_id)
    if sale is None:
        raise NotSupported("unknown_sale")
    refunds = books.register.refunds(sale.payment_id)
    require(refund_id in refunds, "unknown_refund")
    require(refund_id not in books.register.failures_of(sale.payment_id), "refund_failed")
    of_award = award_reference(books.reference_secret, award)
    require(entry.issue_reference == of_award, "reference_mismatch")
    issue = signed.issues.get(of_award)
    if issue is None:
        raise NotSupported("unknown_issue")
    require(entry.member == issue.member == sale.member, "wrong_member")
    require(all(line.brand_id == signed.brand_id for line in entry.lines), "foreign_lot")
    due = due_back(issue.points, sale, books)
    taken = sum((signed.clawed_back.get(of_award) or {}).values()) + points_of(entry.lines)
    require(0 < taken <= due, "too_much_clawed_back")


def _check_transfer(entry: Transfer, signed: SignedState) -> None:
    """Both members have signed it, which the contract sees to; it costs the brand nothing and is in no book of its."""
    require(entry.giver != entry.taker and points_of(entry.lines) > 0, "wrong_points")
    require(signed.transfer_id(entry) not in signed.reservations, "already_signed")
