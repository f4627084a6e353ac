"""A reservation as the ledger has it, and what may still be done with it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.points.holding import check_points
from gateway.values.calendar import it_is, moment_in_words
from gateway.values.errors import NotEnoughPoints, WrongState
from gateway.values.ids import MemberId, ReservationId
from gateway.values.points import Points


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation as the ledger has it, with what accepted operations already do to it."""

    reservation_id: ReservationId
    member_id: MemberId
    brand_id: int
    points: Points
    captured: Points
    refunded: Points
    deadline: int
    status: str


def check_can_capture(reservation: Reservation, points: Points, now: int) -> None:
    """A capture takes from an open reservation, no more than it holds and no later than its deadline."""
    check_points(points)
    _check_open(reservation)
    if now > reservation.deadline:
        facts = {"deadline": moment_in_words(reservation.deadline), "now": moment_in_words(now)}
        raise WrongState(f"the reservation's deadline {facts['deadline']} has passed, {it_is(now)}: authorize anew", **facts)
    if points > reservation.points:
        raise NotEnoughPoints(f"{reservation.points} points are reserved", points=points, reserved=reservation.points)


def check_can_void(reservation: Reservation) -> None:
    """What is open is released."""
    _check_open(reservation)


def check_can_refund(reservation: Reservation, points: Points, pending_refunds: Points) -> None:
    """Point refunds together never exceed what was captured."""
    check_points(points)
    if reservation.status != "captured":
        raise WrongState(f"the reservation is {reservation.status}, nothing of it was captured", status=reservation.status)
    left = reservation.captured - reservation.refunded - pending_refunds
    if points > left:
        raise NotEnoughPoints(f"{left} captured points are left to give back", points=points, left=left)


def _check_open(reservation: Reservation) -> None:
    if reservation.status != "open":
        raise WrongState(f"the reservation is {reservation.status}", status=reservation.status)
