"""Carry what a clawback could not take: once the member has points of the issuer again, a later clawback of the same issue takes them.

An issuer that writes shortfalls off has none of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gateway.brands.ports import Brands
from gateway.ledger.lot_references import carried_reference
from gateway.purchases.ports import CarriedClawbacks, OpenShortfall
from gateway.rounds.operation import ClawbackOperation
from gateway.rounds.ports import Operations
from gateway.values.ids import OperationId
from gateway.values.points import Points


def carry_clawbacks(
    shortfalls: Iterable[OpenShortfall],
    *,
    brands: Brands,
    carried: CarriedClawbacks,
    operations: Operations,
    new_id: Callable[[], OperationId],
    now: int,
) -> list[OperationId]:
    """The ids of the operations: one for each shortfall, of what is missing or of what the member has, whichever is less."""
    accepted: list[OperationId] = []
    for one in shortfalls:
        issuer = brands.find(one.award.issuer_id)
        assert issuer is not None, "an award names its issuer"
        points = Points(min(one.points_short, one.available))
        reference, operation_id = carried_reference(issuer.reference_secret, one.award, one.refund_id, one.part), new_id()
        of = one.issue_reference, one.award, one.refund_id, one.amount_minor, one.part
        operations.accept(ClawbackOperation(operation_id, issuer.brand_id, one.member_id, reference, points, *of), now)
        carried.add_part(one, points, reference, operation_id)
        accepted.append(operation_id)
    return accepted
