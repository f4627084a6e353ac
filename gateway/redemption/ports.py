"""What redeeming needs to know of reservations; SQL stands behind it in rows.py."""

from __future__ import annotations

from typing import Protocol

from gateway.redemption.reservation import Reservation
from gateway.values.ids import ReservationId


class Reservations(Protocol):
    def find(self, reservation_id: ReservationId) -> Reservation | None: ...
