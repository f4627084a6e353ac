"""Run the expiry: one operation for each member's unreserved points in each lot that has expired."""

from __future__ import annotations

from collections.abc import Callable

from gateway.coalition.coalition import Coalition
from gateway.points.ports import HeldByMembers
from gateway.rounds.operation import ExpireOperation
from gateway.rounds.ports import Operations
from gateway.values import calendar
from gateway.values.ids import OperationId
from gateway.values.points import Points


def run_expiry(
    *, coalition: Coalition, points: HeldByMembers, operations: Operations, new_id: Callable[[], OperationId], now: int
) -> list[OperationId]:
    """The ids of the operations; what is on its way already is left alone, so that running twice expires once."""
    day = calendar.local_day(now, coalition.utc_offset_seconds)
    under_way = points.pending_expiries()
    accepted: list[OperationId] = []
    for expired in points.expired(day):
        line = expired.line
        if (expired.member_id, line.lot_id) in under_way:
            continue
        operation_id = new_id()
        expiry = ExpireOperation(operation_id, line.brand_id, expired.member_id, line.expiry_day, Points(line.points))
        operations.accept(expiry, now)
        accepted.append(operation_id)
    return accepted
