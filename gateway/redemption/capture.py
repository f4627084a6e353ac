"""Capture: use a reservation, wholly or in part; what is not captured is released."""

from __future__ import annotations

from gateway.brands.brand import Brand
from gateway.ledger import signing
from gateway.redemption.ports import Reservations
from gateway.redemption.redemption_request import earlier_operation
from gateway.redemption.reservation import check_can_capture
from gateway.redemption.reservation_request import check_accepting_brand, check_nothing_pending, find_reservation
from gateway.rounds.operation import CaptureOperation
from gateway.rounds.ports import Operations
from gateway.values.ids import OperationId, ReservationId
from gateway.values.points import Points
from gateway.values.references import check_external_id


def capture(
    reservation_id: ReservationId,
    capture_id: str,
    points_asked: Points,
    *,
    brand: Brand,
    reservations: Reservations,
    operations: Operations,
    operation_id: OperationId,
    now: int,
) -> OperationId:
    """The operation's id; the same capture_id with the same content is the first operation again."""
    check_external_id("capture_id", capture_id)
    reservation = find_reservation(reservation_id, reservations, operations)
    reference = signing.reference(brand.reference_secret, "capture", capture_id)
    new = CaptureOperation(operation_id, brand.brand_id, reservation.member_id, reservation_id, reference, capture_id, points_asked)
    known = earlier_operation(new, "capture_id", capture_id, operations, now)
    if known is not None:
        return known
    check_accepting_brand(reservation, brand)
    check_nothing_pending(reservation_id, operations)
    check_can_capture(reservation, points_asked, now)
    operations.accept(new, now)
    return operation_id
