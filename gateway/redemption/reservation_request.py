"""What capture, void and point refund share: finding the reservation, and one thing at a time on it."""

from __future__ import annotations

from gateway.brands.brand import Brand
from gateway.ledger import signing
from gateway.redemption.ports import Reservations
from gateway.redemption.reservation import Reservation
from gateway.rounds.operation import NewOperation, OperationKind
from gateway.rounds.ports import Operations
from gateway.values.errors import NotFound, WrongState


def find_reservation(reservation_id: str, reservations: Reservations, operations: Operations) -> Reservation:
    """The reservation as the ledger has it; one that is still on its way cannot be used yet."""
    reservation = reservations.find(reservation_id)
    if reservation is not None:
        return reservation
    if operations.pending_on(reservation_id):
        raise WrongState("this reservation is not on the ledger yet: try again in a moment", reservation_id=reservation_id)
    raise NotFound(f"there is no reservation {reservation_id}", reservation_id=reservation_id)


def check_accepting_brand(reservation: Reservation, brand: Brand) -> None:
    """A reservation is the accepting brand's; to others it does not exist."""
    if reservation.brand_id != brand.brand_id:
        raise NotFound(f"there is no reservation {reservation.reservation_id} of brand {brand.brand_id}")


def check_nothing_pending(reservation_id: str, operations: Operations) -> None:
    """A capture or void on its way closes the reservation to another."""
    pending = [kind for kind, _ in operations.pending_on(reservation_id) if kind in (OperationKind.CAPTURE, OperationKind.VOID)]
    if pending:
        raise WrongState(f"a {pending[0]} of this reservation is on its way", reservation_id=reservation_id)


def operation_on(
    kind: OperationKind, reservation: Reservation, prefix: str, external_id: str, points: int, brand: Brand, operation_id: str
) -> NewOperation:
    """An operation on a reservation; its body carries the caller's id as `<kind>_id`, and the points if it names any."""
    body: dict[str, object] = {f"{kind.value}_id": external_id}
    if points:
        body["points"] = points
    return NewOperation(
        operation_id,
        kind,
        body,
        brand_id=brand.brand_id,
        member_id=reservation.member_id,
        points=points,
        reference="0x" + signing.reference(brand.reference_secret, prefix, external_id).hex(),
        reservation_id=reservation.reservation_id,
    )
