"""What capture, void and point refund share: finding the reservation, and one thing at a time on it."""

from __future__ import annotations

from gateway.brands.brand import Brand
from gateway.redemption.ports import Reservations
from gateway.redemption.reservation import Reservation
from gateway.rounds.operation import CaptureOperation, VoidOperation
from gateway.rounds.ports import Operations
from gateway.values.errors import NotFound, WrongState
from gateway.values.ids import ReservationId


def find_reservation(reservation_id: ReservationId, reservations: Reservations, operations: Operations) -> Reservation:
    """The reservation as the ledger has it; one that is still on its way cannot be used yet."""
    reservation = reservations.find(reservation_id)
    if reservation is not None:
        return reservation
    if operations.pending_on(reservation_id):
        raise WrongState("this reservation is not on the ledger yet: try again in a moment", reservation_id=str(reservation_id))
    raise NotFound(f"there is no reservation {reservation_id}", reservation_id=str(reservation_id))


def check_accepting_brand(reservation: Reservation, brand: Brand) -> None:
    """A reservation is the accepting brand's; to others it does not exist."""
    if reservation.brand_id != brand.brand_id:
        raise NotFound(f"there is no reservation {reservation.reservation_id} of brand {brand.brand_id}")


def check_nothing_pending(reservation_id: ReservationId, operations: Operations) -> None:
    """A capture or void on its way closes the reservation to another."""
    for operation in operations.pending_on(reservation_id):
        if isinstance(operation, CaptureOperation | VoidOperation):
            what = "capture" if isinstance(operation, CaptureOperation) else "void"
            raise WrongState(f"a {what} of this reservation is on its way", reservation_id=str(reservation_id))
