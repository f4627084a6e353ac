"""What a member can spend now: available = ledger - reserved - pending out, over accepted lots that have not expired.

At a brand's till, of other issuers no more than that brand still lets itself be owed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.ledger import lots
from gateway.ledger.lot_choice import Room, TooManyLots, choose_lots, most_redeemable
from gateway.ledger.packed_fields import MAX_LINES
from gateway.values.errors import Invalid, NotEnoughPoints, WrongState
from gateway.values.ids import LotId
from gateway.values.points import MAX_POINTS_PER_ENTRY, Points


@dataclass(frozen=True, slots=True)
class Holding:
    """A member's unreserved points of brands whose points are accepted, by lot id, and those that accepted operations may still take.

    `room` is what the brand that they are held at lets itself be owed; without it any issuer's points count.
    """

    unreserved: Mapping[LotId, int]
    pending_out: Points
    room: Room | None = None


def available_points(holding: Holding, brand_id: int, now: int, utc_offset_seconds: int) -> Points:
    """What the member can spend at the brand now; never below zero."""
    in_all, _ = most_redeemable(holding.unreserved, brand_id, now, utc_offset_seconds, holding.room)
    return Points(max(0, in_all - holding.pending_out))


def lines_for(holding: Holding, points: Points, brand_id: int, now: int, utc_offset_seconds: int) -> list[lots.Line]:
    """The lots that a redemption would take now; refuses what is not available or needs more lots than an entry holds."""
    check_points(points)
    available = available_points(holding, brand_id, now, utc_offset_seconds)
    if points > available:
        elsewhere = available_points(replace(holding, room=None), brand_id, now, utc_offset_seconds)
        bound = f" at brand {brand_id}, which lets itself be owed no more of other brands' points" if points <= elsewhere else ""
        raise NotEnoughPoints(f"{points} points asked for, {available} available{bound}", points=points, available=available)
    try:
        return choose_lots(holding.unreserved, points, brand_id, now, utc_offset_seconds, holding.room)
    except TooManyLots as missing:
        said = f"one redemption takes from at most {MAX_LINES} lots: {missing.at_once} points at once"
        raise WrongState(said, available_at_once=missing.at_once) from missing


def available_at_once(holding: Holding, brand_id: int, now: int, utc_offset_seconds: int) -> Points:
    """The most that one redemption can take: what is available, from as many lots as an entry holds."""
    _, at_once = most_redeemable(holding.unreserved, brand_id, now, utc_offset_seconds, holding.room)
    return Points(min(at_once, available_points(holding, brand_id, now, utc_offset_seconds)))


def check_points(points: Points) -> None:
    """Points of one entry are a positive whole number of a sensible size."""
    if not 0 < points <= MAX_POINTS_PER_ENTRY:
        raise Invalid(f"points must be from 1 to {MAX_POINTS_PER_ENTRY}", field="points")
