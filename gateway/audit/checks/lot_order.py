"""Invariant 9: an expired lot is not spent (reserved points until their deadline apart), and the nearest expiry is spent first.

Lots of brands that were closed or in default at the time are passed over, as expired ones are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from gateway.audit.book import Book, BookEntry
from gateway.audit.case import Case
from gateway.ledger.brand_states import ACCEPTING, BrandState
from gateway.ledger.lots import LotsFallShort, choose_lots, is_expired, lot_key_order, split_lot_id
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.state import BrandRecord
from gateway.values.calendar import local_day
from gateway.values.ids import LotId, MemberId


def findings(case: Case) -> Iterator[str]:
    offset = case.evidence.chain.utc_offset_seconds
    for book in case.books:
        available: dict[MemberId | None, dict[LotId, int]] = defaultdict(lambda: defaultdict(int))
        states = _States(case.replay.states, offset)
        for entry in book.accepted:
            lots = available[entry.member]
            if entry.kind in ("authorize", "redeem"):
                yield from _spent(book, entry, states.accepted(lots, entry), offset)
            elif entry.kind == "capture":
                yield from _captured(book, entry)
            for movement in entry.movements:
                lots[movement.lot_id] += movement.held_delta - movement.reserved_delta
    for each in case.disagreements(RefusalReason.LOT_EXPIRED.value, RefusalReason.DEADLINE_PASSED.value):
        yield str(each)


class _States:
    """Of brands as time goes on: ask for entries in their order."""

    def __init__(self, changes: Sequence[tuple[int, int, BrandState, int]], utc_offset_seconds: int) -> None:
        self._changes = iter(changes)
        self._next = next(self._changes, None)
        self._utc_offset_seconds = utc_offset_seconds
        self._brands: dict[int, BrandRecord] = {}

    def accepted(self, lots: Mapping[LotId, int], entry: BookEntry) -> dict[LotId, int]:
        """The lots whose brands' points were accepted when the entry was written."""
        while self._next is not None and self._next[0] < entry.position:
            _, brand, state, last_day = self._next
            self._brands[brand] = BrandRecord(state, limit=0, last_day=last_day)
            self._next = next(self._changes, None)
        day = local_day(entry.timestamp, self._utc_offset_seconds)
        refused = {brand for brand, record in self._brands.items() if record.state_on(day) not in ACCEPTING}
        return {lot: points for lot, points in lots.items() if lot >> 32 not in refused}


def _spent(book: Book, entry: BookEntry, available: Mapping[LotId, int], offset: int) -> Iterator[str]:
    taken = {movement.lot_id: movement.reserved_delta - movement.held_delta for movement in entry.movements}
    expired = [lot for lot in taken if is_expired(split_lot_id(lot)[1], entry.timestamp, offset)]
    if expired:
        yield f"{entry.place} spends the expired lot {expired[0]} by the {book.name}"
        return
    try:
        lines = choose_lots(available, sum(taken.values()), entry.brand_id, entry.timestamp, offset)
    except (LotsFallShort, ValueError):
        yield f"{entry.place} spends {sum(taken.values())} points that member {entry.member} does not have by the {book.name}"
        return
    due = {line.lot_id: line.points for line in lines}
    if taken != due:
        yield f"{entry.place} takes {_words(taken)} by the {book.name}; nearest expiry first, it had to take {_words(due)}"


def _captured(book: Book, entry: BookEntry) -> Iterator[str]:
    """A capture in part uses the reservation's lots in the order of spending: only the last that it touches may be left over."""
    reservation = book.reservations.get(entry.reservation_id) if entry.reservation_id is not None else None
    if reservation is None:
        yield f"{entry.place} is of a reservation that the {book.name} does not know"
        return
    if entry.timestamp > reservation.deadline:
        yield f"{entry.place} came after the reservation's deadline by the {book.name}"
    taken = {movement.lot_id: -movement.held_delta for movement in entry.movements}
    left = sum(taken.values())
    for lot in sorted(reservation.lots, key=lot_key_order(entry.brand_id)):
        due = min(left, reservation.lots[lot][0])
        left -= due
        if taken.get(lot, 0) != due:
            yield f"{entry.place} captures {taken.get(lot, 0)} points of lot {lot} by the {book.name}; in the order of spending, {due}"
            return


def _words(lots: Mapping[LotId, int]) -> str:
    return ", ".join(f"{points} of lot {lot}" for lot, points in sorted(lots.items()))
