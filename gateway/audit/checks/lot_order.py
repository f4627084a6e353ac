"""Invariant 9: an expired lot is not spent (reserved points until their deadline apart), and the nearest expiry is spent first.

Lots of brands that were closed or in default at the time are passed over, as expired ones are; of each issuer no more is taken than the
accepting brand still let itself be owed. That may have changed without a batch (its owner, a settlement, a release), and so may the
member's lots at other brands where the brand signed late, after the batch was packed and before it was recorded: any figure is good that
held since the brand's batch before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from gateway.audit.book import Book, BookEntry, BookRelease
from gateway.audit.case import Case
from gateway.ledger.brand_states import ACCEPTING, BrandState
from gateway.ledger.lot_choice import LotsFallShort, Room, TooManyLots, choose_lots
from gateway.ledger.lots import is_expired, lot_key_order, split_lot_id
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.state import BrandRecord
from gateway.values.calendar import local_day
from gateway.values.ids import LotId, MemberId


def findings(case: Case) -> Iterator[str]:
    offset = case.evidence.chain.utc_offset_seconds
    for book in case.books:
        lots = _AvailableLots()
        states, rooms = _States(case.replay.states, offset), _Rooms(case.replay.rooms)
        for step in book.steps:
            if isinstance(step, BookEntry):
                rooms.go_to(step)
            if isinstance(step, BookEntry) and step.kind in ("authorize", "redeem"):
                held_then = lots.of(step.member, rooms.packed_after(step.brand_id))
                choices = ((states.accepted(held, step), room) for held in held_then for room in rooms.of(step.brand_id))
                yield from _spent(book, step, choices, offset)
            elif isinstance(step, BookEntry) and step.kind == "capture":
                yield from _captured(book, step)
            lots.go_on(step)
    for each in case.disagreements(RefusalReason.LOT_EXPIRED.value, RefusalReason.DEADLINE_PASSED.value):
        yield str(each)


class _AvailableLots:
    """Of members as time goes on."""

    def __init__(self) -> None:
        self._now: dict[MemberId | None, dict[LotId, int]] = defaultdict(lambda: defaultdict(int))
        self._steps: dict[MemberId | None, list[BookEntry | BookRelease]] = defaultdict(list)

    def go_on(self, step: BookEntry | BookRelease) -> None:
        for movement in step.movements:
            self._now[movement.member][movement.lot_id] += movement.held_delta - movement.reserved_delta
        for member in {movement.member for movement in step.movements}:
            self._steps[member].append(step)

    def of(self, member: MemberId | None, since: int) -> Iterator[dict[LotId, int]]:
        """What was available to the member, the latest first, back to that position."""
        held = dict(self._now[member])
        yield dict(held)
        for step in takewhile(lambda step: step.position > since, reversed(self._steps[member])):
            for movement in step.movements:
                if movement.member == member:
                    held[movement.lot_id] -= movement.held_delta - movement.reserved_delta
            yield dict(held)


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


class _Rooms:
    """What brands let themselves be owed as time goes on: ask for entries in their order."""

    def __init__(self, changes: Sequence[tuple[int, int, int, int]]) -> None:
        self._changes = iter(changes)
        self._next = next(self._changes, None)
        self._now: dict[int, dict[int, int]] = defaultdict(dict)
        self._last: dict[int, tuple[int, int]] = {}  # the brand's last batch, and the position of its last entry
        self._since: dict[int, list[tuple[int, int]]] = defaultdict(list)  # (issuer, change) after the brand's last batch
        self._while_packed: dict[int, list[tuple[int, int]]] = {}  # those between its last two batches
        self._packed_after: dict[int, int] = {}  # the last position of the batch before

    def go_to(self, entry: BookEntry) -> None:
        """To where things stand before the entry."""
        brand = entry.brand_id
        while self._next is not None and self._next[0] < entry.position:
            position, acceptor, issuer, room = self._next
            change = room - self._now[acceptor].get(issuer, 0)
            self._now[acceptor][issuer] = room
            if position != self._last.get(acceptor, (0, -1))[1]:
                self._since[acceptor].append((issuer, change))
            self._next = next(self._changes, None)
        if self._last.get(brand, (None,))[0] != entry.batch_number:
            self._while_packed[brand] = self._since.pop(brand, [])
            self._packed_after[brand] = self._last.get(brand, (0, -1))[1]
        self._last[brand] = entry.batch_number, entry.position

    def packed_after(self, brand: int) -> int:
        """The last position of the brand's batch before the one at hand, which was packed later than that."""
        return self._packed_after[brand]

    def of(self, brand: int) -> Iterator[Room]:
        """What the brand let itself be owed, the latest first, back to its batch before."""
        room = dict(self._now[brand])
        yield dict(room)
        for issuer, change in reversed(self._while_packed[brand]):
            room[issuer] -= change
            yield dict(room)


def _spent(book: Book, entry: BookEntry, choices: Iterable[tuple[Mapping[LotId, int], Room]], offset: int) -> Iterator[str]:
    """`choices`: lots available to the member, and what the brand let itself be owed; the latest first."""
    taken = {movement.lot_id: movement.reserved_delta - movement.held_delta for movement in entry.movements}
    expired = [lot for lot in taken if is_expired(split_lot_id(lot)[1], entry.timestamp, offset)]
    if expired:
        yield f"{entry.place} spends the expired lot {expired[0]} by the {book.name}"
        return
    wrong: str | None = None
    for held, room in choices:
        try:
            lines = choose_lots(held, sum(taken.values()), entry.brand_id, entry.timestamp, offset, room)
        except (LotsFallShort, TooManyLots, ValueError):
            short = f"{entry.place} spends {sum(taken.values())} points that member {entry.member} could not spend there by the {book.name}"
            wrong = wrong or short
            continue
        due = {line.lot_id: line.points for line in lines}
        if taken == due:
            return
        wrong = wrong or f"{entry.place} takes {_words(taken)} by the {book.name}; nearest expiry first, it had to take {_words(due)}"
    if wrong:
        yield wrong


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
