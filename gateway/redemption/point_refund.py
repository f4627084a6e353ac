"""Point refund: give captured points back, in one or several parts, each naming the capture's reservation."""

from __future__ import annotations

from gateway.brands.brand import Brand
from gateway.ledger import signing
from gateway.redemption.ports import Reservations
from gateway.redemption.redemption_request import earlier_operation
from gateway.redemption.reservation import check_can_refund
from gateway.redemption.reservation_request import check_accepting_brand, find_reservation
from gateway.rounds.operation import PointRefundOperation
from gateway.rounds.ports import Operations
from gateway.values.ids import OperationId, ReservationId
from gateway.values.points import Points
from gateway.values.references import check_external_id


def point_refund(
    reservation_id: ReservationId,
    point_refund_id: str,
    points_asked: Points,
    *,
    brand: Brand,
    reservations: Reservations,
    operations: Operations,
    operation_id: OperationId,
    now: int,
) -> OperationId:
    """The operation's id; the same point_refund_id with the same content is the first operation again."""
    check_external_id("point_refund_id", point_refund_id)
    reservation = find_reservation(reservation_id, reservations, operations)
    reference = signing.reference(brand.reference_secret, "point-refund", point_refund_id)
    new = PointRefundOperation(
        operation_id, brand.brand_id, reservation.member_id, reservation_id, reference, point_refund_id, points_asked
    )
    known = earlier_operation(new, "point_refund_id", point_refund_id, operations, now)
    if known is not None:
        return known
    check_accepting_brand(reservation, brand)
    pending = sum(one.points for one in operations.pending_on(reservation_id) if isinstance(one, PointRefundOperation))
    check_can_refund(reservation, points_asked, Points(pending))
    operations.accept(new, now)
    return operation_id
