"""What a member can spend now: available = ledger - reserved - pending out, over accepted lots that have not expired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.ledger import lots
from gateway.ledger.packed_fields import MAX_LINES
from gateway.values.errors import Invalid, NotEnoughPoints, WrongState
from gateway.values.ids import LotId
from gateway.values.points import MAX_POINTS_PER_ENTRY, Points


@dataclass(frozen=True, slots=True)
class Holding:
    """A member's unreserved points of brands whose points are accepted, by lot id, and those that accepted operations may still take."""

    unreserved: Mapping[LotId, int]
    pending_out: Points


def available_points(holding: Holding, now: int, utc_offset_seconds: int) -> Points:
    """What the member can spend now; never below zero."""
    usable = sum(
        points
        for lot_id, points in holding.unreserved.items()
        if not lots.is_expired(lots.split_lot_id(lot_id)[1], now, utc_offset_seconds)
    )
    return Points(max(0, usable - holding.pending_out))


def lines_for(holding: Holding, points: Points, brand_id: int, now: int, utc_offset_seconds: int) -> list[lots.Line]:
    """The lots that a redemption would take now; refuses what is not available or needs more lots than an entry holds."""
    check_points(points)
    available = available_points(holding, now, utc_offset_seconds)
    if points > available:
        raise NotEnoughPoints(f"{points} points asked for, {available} available", points=points, available=available)
    lines = lots.choose_lots(holding.unreserved, points, brand_id, now, utc_offset_seconds)
    if len(lines) > MAX_LINES:
        at_once = sum(line.points for line in lines[:MAX_LINES])
        raise WrongState(f"one redemption takes from at most {MAX_LINES} lots: {at_once} points at once", available_at_once=at_once)
    return lines


def available_at_once(holding: Holding, brand_id: int, now: int, utc_offset_seconds: int) -> Points:
    """The most that one redemption can take: what is available, from as many lots as an entry holds."""
    available = available_points(holding, now, utc_offset_seconds)
    if available == 0:
        return Points(0)
    lines = lots.choose_lots(holding.unreserved, available, brand_id, now, utc_offset_seconds)
    return Points(sum(line.points for line in lines[:MAX_LINES]))


def check_points(points: Points) -> None:
    """Points of one entry are a positive whole number of a sensible size."""
    if not 0 < points <= MAX_POINTS_PER_ENTRY:
        raise Invalid(f"points must be from 1 to {MAX_POINTS_PER_ENTRY}", field="points")
