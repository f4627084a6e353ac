"""Which lots a redemption takes: in the order of spending, of each issuer no more than the accepting brand still lets itself be owed.

Where that needs more lots than an entry has lines for, only the largest are looked at, which suffice wherever any do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from gateway.ledger.lots import Line, is_expired, lot_key_order, split_lot_id
from gateway.ledger.packed_fields import MAX_LINES
from gateway.values.ids import LotId
from gateway.values.points import Points

Room = Mapping[int, int]
"""What a brand still lets itself be owed, by issuer; nothing of those not named. Its own points are no debt and need no room."""


def choose_lots(
    available: Mapping[LotId, int], points: int, accepting_brand: int, timestamp: int, utc_offset_seconds: int, room: Room | None = None
) -> list[Line]:
    """The lines that spend `points` of `available` ({lot id: unreserved points}); without `room` of any issuer.

    Expired lots are passed over. Raises `LotsFallShort` or `TooManyLots`, each with what could be spent.
    """
    if points <= 0:
        raise ValueError("points to spend must be a positive whole number")
    in_order = _in_order(available, accepting_brand, timestamp, utc_offset_seconds)
    lines = _lines(in_order, points, accepting_brand, room)
    if (usable := _sum(lines)) < points:
        raise LotsFallShort(points, usable)
    if len(lines) <= MAX_LINES:
        return lines
    largest = _largest(in_order, accepting_brand, room)
    lines = _lines({lot: there for lot, there in in_order.items() if lot in largest}, points, accepting_brand, room)
    if (at_once := _sum(lines)) < points:
        raise TooManyLots(points, at_once)
    return lines


def most_redeemable(
    available: Mapping[LotId, int], accepting_brand: int, timestamp: int, utc_offset_seconds: int, room: Room | None = None
) -> tuple[int, int]:
    """(points that redemptions can take in all, points that one redemption can take)."""
    in_order = _in_order(available, accepting_brand, timestamp, utc_offset_seconds)
    in_all = sum(there for _, there in _bounded(in_order.items(), accepting_brand, room))
    return in_all, sum(_largest(in_order, accepting_brand, room).values())


class LotsFallShort(Exception):
    """The member's usable lots hold fewer points than asked for."""

    def __init__(self, asked: int, usable: int) -> None:
        super().__init__(f"{asked} points asked for, {usable} usable")
        self.asked = asked
        self.usable = usable


class TooManyLots(Exception):
    """No choice of so many lots as an entry has lines for holds the points asked for."""

    def __init__(self, asked: int, at_once: int) -> None:
        super().__init__(f"{asked} points asked for, {at_once} in the largest {MAX_LINES} lots")
        self.asked = asked
        self.at_once = at_once


def _in_order(available: Mapping[LotId, int], accepting_brand: int, timestamp: int, utc_offset_seconds: int) -> dict[LotId, int]:
    usable = (lot for lot, there in available.items() if there > 0 and not is_expired(split_lot_id(lot)[1], timestamp, utc_offset_seconds))
    return {lot: available[lot] for lot in sorted(usable, key=lot_key_order(accepting_brand))}


def _bounded(lots: Iterable[tuple[LotId, int]], accepting_brand: int, room: Room | None) -> Iterable[tuple[LotId, int]]:
    """What each lot can give when those before it give all they can."""
    left = dict(room or {})
    for lot, there in lots:
        issuer = lot >> 32
        if room is not None and issuer != accepting_brand:
            there = min(there, left.get(issuer, 0))
            left[issuer] = left.get(issuer, 0) - there
        if there > 0:
            yield lot, there


def _largest(in_order: Mapping[LotId, int], accepting_brand: int, room: Room | None) -> dict[LotId, int]:
    """The lots that give most: an issuer's larger ones fill its room, so of any so many lots these hold the most points."""
    by_size = sorted(in_order.items(), key=lambda lot: -lot[1])
    return dict(islice(sorted(_bounded(by_size, accepting_brand, room), key=lambda lot: -lot[1]), MAX_LINES))


def _lines(in_order: Mapping[LotId, int], points: int, accepting_brand: int, room: Room | None) -> list[Line]:
    """Up to `points`, lot by lot."""
    lines: list[Line] = []
    for lot, there in _bounded(in_order.items(), accepting_brand, room):
        taken = min(points, there)
        lines.append(Line(*split_lot_id(lot), Points(taken)))
        points -= taken
        if not points:
            break
    return lines


def _sum(lines: Iterable[Line]) -> int:
    return sum(line.points for line in lines)
