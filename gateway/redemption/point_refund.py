"""Point refund: give captured points back, in one or several parts, each naming the capture's reservation."""

from __future__ import annotations

from gateway.brands.brand import Brand
from gateway.redemption.ports import Reservations
from gateway.redemption.redemption_request import earlier_operation
from gateway.redemption.reservation import check_can_refund
from gateway.redemption.reservation_request import check_accepting_brand, find_reservation, operation_on
from gateway.rounds.operation import OperationKind
from gateway.rounds.ports import Operations
from gateway.values.references import check_external_id


def point_refund(
    reservation_id: str,
    point_refund_id: str,
    points_asked: int,
    *,
    brand: Brand,
    reservations: Reservations,
    operations: Operations,
    operation_id: str,
    now: int,
) -> str:
    """The operation's id; the same point_refund_id with the same content is the first operation again."""
    check_external_id("point_refund_id", point_refund_id)
    reservation = find_reservation(reservation_id, reservations, operations)
    new = operation_on(OperationKind.POINT_REFUND, reservation, "point-refund", point_refund_id, points_asked, brand, operation_id)
    known = earlier_operation(new, "point_refund_id", point_refund_id, operations)
    if known is not None:
        return known.operation_id
    check_accepting_brand(reservation, brand)
    pending = sum(count for kind, count in operations.pending_on(reservation_id) if kind == OperationKind.POINT_REFUND)
    check_can_refund(reservation, points_asked, pending)
    operations.accept(new, now)
    return operation_id
