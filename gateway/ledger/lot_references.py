"""Where the entries stand that change lots without a sale of their own: openings, extensions, restores, and clawbacks that come later.

Each name holds all that makes the entry one of its kind, so that whatever is sent again stands at the same place and happens once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.ledger.awards import AwardId, clawback_reference
from gateway.ledger.signing import reference
from gateway.values.ids import MemberId, Reference


class ActivityKind(StrEnum):
    """What keeps points alive: a sale that earned, or an order that was paid with points."""

    SALE = "sale"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Activity:
    """What a member did at the brand, by the brand's own id of it."""

    kind: ActivityKind
    id: str


def opening_reference(secret: bytes, programme: str, member: MemberId, expiry_day: int) -> Reference:
    """Where a member's balance of an earlier programme with one expiry stands: whatever file it comes in, it comes once."""
    return reference(secret, "opening", f"{programme}:{member}:{expiry_day}")


def extension_reference(secret: bytes, activity: Activity, from_day: int) -> Reference:
    """Where the extension of one lot by this activity stands."""
    return reference(secret, f"extend-{activity.kind}", f"{from_day}:{activity.id}")


def restore_reference(secret: bytes, award: AwardId, refund_id: str) -> Reference:
    """Where it stands that what a payment refund took of an award is given back, since the refund failed."""
    return reference(secret, "refund-failure", f"{award.sold_by}:{award.number}:{refund_id}")


def carried_reference(secret: bytes, award: AwardId, refund_id: str, part: int) -> Reference:
    """Where a clawback stands that takes later what could not be taken at once; the first is part 0."""
    if part == 0:
        return clawback_reference(secret, award, refund_id)
    return reference(secret, "carried-refund", f"{award.sold_by}:{award.number}:{part}:{refund_id}")
