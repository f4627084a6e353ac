"""Reservations whose deadline has passed: the gateway releases them by itself, whichever brand left them behind."""

from __future__ import annotations

from functools import cache

from sqlalchemy import BigInteger, Select, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from gateway.projection.tables import LedgerReservationLotRow, LedgerReservationRow
from gateway.rounds.tables import IS_OPEN, BatchRow, OperationRow, TransactionRow, batches_adrift
from gateway.values.ids import LotId, ReservationId

RELEASE = "release"
RELEASES_IN_ONE_ROUND = 50
_RELEASE_STORED = select(TransactionRow.transaction_id).where(TransactionRow.status == "stored", TransactionRow.purpose == RELEASE).limit(1)


def overdue_reservations(session: Session, now: int, paused_brands: frozenset[int] = frozenset()) -> dict[ReservationId, list[LotId]]:
    """Open reservations past their deadline, the oldest first, with their lots; none while releases or acts on them are on their way.

    What a paused brand has not packed is not on its way, nor what a brand did not sign in time.
    """
    if session.scalar(_RELEASE_STORED) is not None:
        return {}
    lot = LedgerReservationLotRow
    found = session.scalars(_overdue(), {"now": now, "paused": sorted(paused_brands)}).all()
    lots: dict[ReservationId, list[LotId]] = {reservation_id: [] for reservation_id in found}
    if not found:
        return {}
    for reservation_id, lot_id in session.execute(select(lot.reservation_id, lot.lot_id).where(lot.reservation_id.in_(found))):
        lots[reservation_id].append(lot_id)
    return {reservation_id: sorted(of_it) for reservation_id, of_it in lots.items()}


@cache
def _overdue() -> Select[ReservationId]:
    """Made once: each round asks, and nearly always finds none."""
    row, now = LedgerReservationRow, bindparam("now", type_=BigInteger)
    adrift = batches_adrift(now)
    in_a_batch = and_(OperationRow.status == "packed", or_(OperationRow.batch_id.is_(None), OperationRow.batch_id.not_in(adrift)))
    late_brands = select(BatchRow.brand_id).where(BatchRow.batch_id.in_(adrift))
    is_paused = OperationRow.brand_id.in_(bindparam("paused", expanding=True))
    on_its_way = or_(in_a_batch, and_(OperationRow.status == "accepted", ~is_paused, OperationRow.brand_id.not_in(late_brands)))
    in_use = select(OperationRow.reservation_id).where(IS_OPEN, on_its_way, OperationRow.reservation_id.is_not(None))
    due = select(row.reservation_id).where(row.status == "open", row.deadline < now, row.reservation_id.not_in(in_use))
    return due.order_by(row.deadline, row.reservation_id).limit(RELEASES_IN_ONE_ROUND)
