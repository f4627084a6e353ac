"""Activity keeps points alive.

Who earned or paid with points at a brand that promises it has her lots of that brand moved to the expiry that points earned then would
have. Never earlier, and never what has expired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gateway.brands.ports import Brands
from gateway.coalition.coalition import Coalition
from gateway.ledger.lot_references import extension_reference
from gateway.ledger.lots import expiry_day_for, is_expired
from gateway.points.ports import HeldByMembers, SeenActivity
from gateway.rounds.lot_operation import ExtendOperation
from gateway.rounds.ports import Operations
from gateway.values.calendar import NEVER
from gateway.values.ids import MemberId, OperationId
from gateway.values.points import Points


def extend_active(
    seen: Iterable[SeenActivity],
    *,
    brands: Brands,
    coalition: Coalition,
    points: HeldByMembers,
    operations: Operations,
    new_id: Callable[[], OperationId],
    now: int,
) -> list[OperationId]:
    """The ids of the operations. Of a member's activities at a brand the last one decides; the same one extends nothing twice."""
    last: dict[tuple[int, MemberId], SeenActivity] = {(one.brand_id, one.member_id): one for one in seen}
    accepted: list[OperationId] = []
    for one in last.values():
        brand = brands.find(one.brand_id)
        assert brand is not None, "activity is looked for at brands that are there"
        to_day = expiry_day_for(one.at, coalition.utc_offset_seconds, brand.lot_validity_months)
        for from_day, there in points.lots_of(one.member_id, one.brand_id):
            is_later = from_day != NEVER and (to_day == NEVER or to_day > from_day)
            if not is_later or is_expired(from_day, now, coalition.utc_offset_seconds):
                continue
            reference = extension_reference(brand.reference_secret, one.activity, from_day)
            if operations.by_reference(brand.brand_id, reference)[0]:
                continue
            whose = new_id(), brand.brand_id, one.member_id, reference
            operations.accept(ExtendOperation(*whose, from_day, to_day, Points(there), one.activity), now)
            accepted.append(whose[0])
    return accepted
