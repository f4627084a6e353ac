"""Void: release a reservation. After its deadline the gateway releases it by itself."""

from __future__ import annotations

from gateway.brands.brand import Brand
from gateway.ledger import signing
from gateway.redemption.ports import Reservations
from gateway.redemption.redemption_request import earlier_operation
from gateway.redemption.reservation import check_can_void
from gateway.redemption.reservation_request import check_accepting_brand, check_nothing_pending, find_reservation
from gateway.rounds.operation import VoidOperation
from gateway.rounds.ports import Operations
from gateway.values.ids import OperationId, ReservationId
from gateway.values.references import check_external_id


def void(
    reservation_id: ReservationId,
    void_id: str,
    *,
    brand: Brand,
    reservations: Reservations,
    operations: Operations,
    operation_id: OperationId,
    now: int,
) -> OperationId:
    """The operation's id; the same void_id with the same content is the first operation again."""
    check_external_id("void_id", void_id)
    reservation = find_reservation(reservation_id, reservations, operations)
    reference = signing.reference(brand.reference_secret, "void", void_id)
    new = VoidOperation(operation_id, brand.brand_id, reservation.member_id, reservation_id, reference, void_id)
    known = earlier_operation(new, "void_id", void_id, operations, now)
    if known is not None:
        return known
    check_accepting_brand(reservation, brand)
    check_nothing_pending(reservation_id, operations)
    check_can_void(reservation)
    operations.accept(new, now)
    return operation_id
