"""Invariant 7: reserved and spent points never exceed those held, at no moment and in no reservation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gateway.audit.book import Book
from gateway.audit.case import Case
from gateway.ledger.refusals import RefusalReason
from gateway.values.ids import LotId, MemberId


def findings(case: Case) -> Iterator[str]:
    replayed = case.replay.book.holdings
    for (member, lot), holding in case.evidence.chain.holdings.items():
        name = f"member {member}, lot {lot}"
        if holding.reserved > holding.held:
            yield f"{name}: {holding.reserved} points reserved of {holding.held} held by the contract"
        due = replayed.get((member, lot))
        if (due.reserved if due else 0) != holding.reserved:
            yield f"{name}: {holding.reserved} points reserved by the contract, {due.reserved if due else 0} by all entries"
    for book in case.books:
        yield from _at_every_moment(book)
        yield from _in_every_reservation(book)
    for each in case.disagreements(RefusalReason.NOT_ENOUGH_POINTS.value, RefusalReason.TOO_MANY_POINTS.value):
        yield str(each)


def _at_every_moment(book: Book) -> Iterator[str]:
    held: dict[tuple[MemberId, LotId], int] = defaultdict(int)
    reserved: dict[tuple[MemberId, LotId], int] = defaultdict(int)
    for step in book.steps:
        for movement in step.movements:
            key = (movement.member, movement.lot_id)
            held[key] += movement.held_delta
            reserved[key] += movement.reserved_delta
            if not 0 <= reserved[key] <= held[key]:
                left = f"{reserved[key]} points reserved of {held[key]} held"
                yield f"{step.place} left member {movement.member} with {left} by the {book.name}"


def _in_every_reservation(book: Book) -> Iterator[str]:
    open_points: dict[tuple[MemberId, LotId], int] = defaultdict(int)
    for identity, reservation in book.reservations.items():
        for lot, (reserved, captured, refunded, _, _) in reservation.lots.items():
            if not 0 <= refunded <= captured <= reserved:
                yield f"reservation {identity}, lot {lot}: {reserved} reserved, {captured} captured, {refunded} refunded by the {book.name}"
            if reservation.status == "open":
                open_points[reservation.member, lot] += reserved
    for (member, lot), holding in book.holdings.items():
        if not 0 <= holding.reserved <= holding.held:
            yield f"member {member}, lot {lot}: {holding.reserved} points reserved of {holding.held} held by the {book.name}"
        if holding.reserved != open_points.pop((member, lot), 0):
            yield f"member {member}, lot {lot}: reserved points are not those of the open reservations by the {book.name}"
    for (member, lot), points in open_points.items():
        if points:
            yield f"member {member}, lot {lot}: {points} points in open reservations, none held by the {book.name}"
