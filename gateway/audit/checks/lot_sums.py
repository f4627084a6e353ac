"""Invariant 1: for every lot, the points of all members are what was issued, opened and refunded less what went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gateway.audit.book import Book
from gateway.audit.case import Case
from gateway.audit.ledger_events import NOBODY, PointsMoved
from gateway.ledger.refusals import RefusalReason
from gateway.values.ids import LotId, MemberId

_NOT_OURS = frozenset(
    reason.value
    for reason in RefusalReason
    if reason
    in {
        RefusalReason.CONSENT_INVALID,
        RefusalReason.NOT_AN_AUTHORIZER,
        RefusalReason.CONSENT_EXPIRED,
        RefusalReason.LIMIT_EXCEEDED,
        RefusalReason.NOT_ENOUGH_POINTS,
        RefusalReason.TOO_MANY_POINTS,
        RefusalReason.LOT_EXPIRED,
        RefusalReason.DEADLINE_PASSED,
    }
)


def findings(case: Case) -> Iterator[str]:
    yield from _contract_against_totals(case)
    yield from _logs_against_contract(case)
    for book in case.books:
        yield from _sums(book)
    for each in case.replay.disagreements:
        if each.reason not in _NOT_OURS:
            yield str(each)


def _contract_against_totals(case: Case) -> Iterator[str]:
    chain, book = case.evidence.chain, case.replay.book
    held: dict[LotId, int] = defaultdict(int)
    for (_, lot), holding in chain.holdings.items():
        held[lot] += holding.held
    for lot in sorted(set(held) | set(book.lots)):
        due = book.lots[lot].outstanding if lot in book.lots else 0
        if held.get(lot, 0) != due:
            yield f"lot {lot}: members hold {held.get(lot, 0)} points by the contract, {due} by all entries"
    by_brand: dict[int, int] = defaultdict(int)
    for lot, points in held.items():
        by_brand[lot >> 32] += points
    for brand, outstanding in chain.outstanding.items():
        if outstanding != by_brand.get(brand, 0):
            yield f"brand {brand}: the contract counts {outstanding} points outstanding, members hold {by_brand.get(brand, 0)}"


def _logs_against_contract(case: Case) -> Iterator[str]:
    chain = case.evidence.chain
    logged: dict[tuple[MemberId, LotId], int] = defaultdict(int)
    for each in chain.events:
        if isinstance(each.event, PointsMoved):
            logged[each.event.giver, each.event.lot_id] -= each.event.points
            logged[each.event.taker, each.event.lot_id] += each.event.points
    for (member, lot), points in logged.items():
        holding = chain.holdings.get((member, lot))
        if member != NOBODY and (holding.held if holding else 0) != points:
            yield f"member {member}, lot {lot}: {points} points by the logs, {holding.held if holding else 0} by the contract"


def _sums(book: Book) -> Iterator[str]:
    held = book.held_by_lot()
    outstanding: dict[int, int] = defaultdict(int)
    for lot in sorted(set(held) | set(book.lots)):
        due = book.lots[lot].outstanding if lot in book.lots else 0
        outstanding[lot >> 32] += due
        if held.get(lot, 0) != due:
            yield f"lot {lot}: members hold {held.get(lot, 0)} points by the {book.name}, its totals leave {due}"
    for brand, points in book.outstanding.items():
        if points != outstanding.get(brand, 0):
            yield f"brand {brand}: the {book.name} has {points} points outstanding, its lots {outstanding.get(brand, 0)}"
