"""Entries that change lots without a sale of their own, held against the brand's books: restores, openings, extensions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate

from gateway.brand_signer.books import Books, Detail, NotSupported, check_unused, due_back, expiry_fits, external_id, require
from gateway.brand_signer.signed_state import SignedState, points_of
from gateway.ledger.awards import AwardId, award_reference
from gateway.ledger.entries import Extend, Opening, Restore
from gateway.ledger.lot_references import (
    Activity,
    ActivityKind,
    carried_reference,
    extension_reference,
    opening_reference,
    restore_reference,
)
from gateway.ledger.lots import Line
from gateway.values import calendar


def check_restore(entry: Restore, award: AwardId, detail: Detail, books: Books, signed: SignedState) -> None:
    """The refund failed; at most what its own clawbacks took goes back, or what is taken beyond what the other refunds account for."""
    refund_id = external_id(detail.get("refund_id"))
    check_unused(entry.reference, restore_reference(books.reference_secret, award, refund_id), signed)
    sale = books.register.sale(award.payment_id)
    if sale is None:
        raise NotSupported("unknown_sale")
    require(refund_id in books.register.failures_of(sale.payment_id), "unknown_refund_failure")
    of_award = award_reference(books.reference_secret, award)
    issue = signed.issues.get(of_award)
    if issue is None or signed.issue_at.get((entry.number, entry.index)) != of_award:
        raise NotSupported("unknown_issue")
    require(entry.member == issue.member, "wrong_member")
    require(all(line.brand_id == signed.brand_id for line in entry.lines), "foreign_lot")
    taken = signed.clawed_back.get(of_award) or {}
    in_all = sum(taken.values())
    beyond = in_all - due_back(issue.points, sale, books)
    most = min(in_all, max(_taken_for(award, refund_id, books, signed), beyond))
    require(0 < points_of(entry.lines) <= most, "too_much_restored")
    require(_none_earlier(entry.lines, taken), "wrong_expiry")


def _none_earlier(lines: Iterable[Line], taken: Mapping[int, int]) -> bool:
    """Up to any day no more points come back than lots that expire by then have given: into the lots taken from, or later ones."""
    left = Counter(taken)
    for line in lines:
        left[line.expiry_day] -= line.points
    in_order = sorted(left, key=lambda day: (day == calendar.NEVER, day))
    return all(up_to_the_day >= 0 for up_to_the_day in accumulate(left[day] for day in in_order))


def _taken_for(award: AwardId, refund_id: str, books: Books, signed: SignedState) -> int:
    """By the first clawback for a refund, where there was one, and by those that came later."""
    taken = part = 0
    while (one := signed.taken_by.get(carried_reference(books.reference_secret, award, refund_id, part))) is not None or part == 0:
        taken += one or 0
        part += 1
    return taken


def check_opening(entry: Opening, detail: Detail, books: Books, signed: SignedState) -> None:
    """The line stands in the file that the brand itself has registered, and is worth these points by the registered ratio."""
    found = books.register.opening_file(entry.basis.source)
    if found is None:
        raise NotSupported("unknown_opening_file")
    terms, balances = found
    require((entry.basis.ratio_points, entry.basis.ratio_units) == (terms.ratio_points, terms.ratio_units), "wrong_ratio")
    line_number = detail.get("line_number")
    line = balances.get(line_number) if type(line_number) is int else None
    if line is None:
        raise NotSupported("unknown_opening_line")
    due = opening_reference(books.reference_secret, terms.programme, line.member, line.expiry_day)
    check_unused(entry.reference, due, signed)
    require(entry.member == line.member, "wrong_member")
    require(entry.points == terms.points_for(line.units), "wrong_points")
    require(entry.expiry_day == line.expiry_day, "wrong_expiry")


def check_extension(entry: Extend, detail: Detail, books: Books, signed: SignedState) -> None:
    """The brand promises it, and the sale or order that it goes by is the member's own and reaches this expiry."""
    require(books.programme.extends_by_activity, "no_extension_promised")
    told = detail.get("activity")
    if not isinstance(told, dict) or told.get("kind") not in tuple(ActivityKind):
        raise NotSupported("detail_mismatch")
    activity = Activity(ActivityKind(told["kind"]), external_id(told.get("id")))
    check_unused(entry.reference, extension_reference(books.reference_secret, activity, entry.from_day), signed)
    known = books.register.sale(activity.id) if activity.kind is ActivityKind.SALE else books.register.order(activity.id)
    if known is None or known.occurred_at is None:
        raise NotSupported("unknown_activity")
    require(entry.member == known.member, "wrong_member")
    require(entry.points > 0, "wrong_points")
    require(expiry_fits(entry.to_day, known.occurred_at, books), "wrong_expiry")
    require(entry.from_day != calendar.NEVER and (entry.to_day == calendar.NEVER or entry.to_day > entry.from_day), "wrong_expiry")
