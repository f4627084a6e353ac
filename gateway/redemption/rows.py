"""Reservations as the projection has them."""

from __future__ import annotations

from gateway.projection.tables import LedgerReservationRow
from gateway.redemption.reservation import Reservation
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.ids import ReservationId
from gateway.values.points import Points


class SqlReservations:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def find(self, reservation_id: ReservationId) -> Reservation | None:
        row = self._session.get(LedgerReservationRow, reservation_id)
        if row is None:
            return None
        return Reservation(
            row.reservation_id,
            row.member_id,
            row.brand_id,
            Points(row.points),
            Points(row.captured),
            Points(row.refunded),
            row.deadline,
            row.status,
        )
