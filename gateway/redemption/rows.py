"""Reservations as the projection has them."""

from __future__ import annotations

from gateway.projection.tables import LedgerReservationRow
from gateway.redemption.reservation import Reservation
from gateway.store.unit_of_work import UnitOfWork


class SqlReservations:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def find(self, reservation_id: str) -> Reservation | None:
        row = self._session.get(LedgerReservationRow, reservation_id)
        if row is None:
            return None
        return Reservation(
            row.reservation_id, row.member_id, row.brand_id, row.points, row.captured, row.refunded, row.deadline, row.status
        )
