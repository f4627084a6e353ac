"""Points as the projection has them, with what accepted operations will still take."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from sqlalchemy import func, select

from gateway.coalition.rows import SqlCoalition
from gateway.ledger.lots import Line, lot_id, split_lot_id
from gateway.points.holding import Holding
from gateway.points.ports import ExpiredPoints
from gateway.projection.tables import LedgerEntryRow, LedgerMemberLotRow
from gateway.projection.views import accepting_brands
from gateway.rounds.operation import ExpireOperation, OperationKind
from gateway.rounds.operation_codec import operation_of
from gateway.rounds.tables import IS_OPEN, OperationRow
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.calendar import NEVER, local_day
from gateway.values.ids import LotId, MemberId, ReservationId
from gateway.values.points import Points


class SqlPoints:
    """Reads what this unit of work accepted, too: what is held back is written first."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session
        self._work = work

    def holding(self, member_id: MemberId) -> Holding:
        self._work.flush()
        rows = self._session.execute(
            select(LedgerMemberLotRow.lot_id, LedgerMemberLotRow.held - LedgerMemberLotRow.reserved).where(
                LedgerMemberLotRow.member_id == member_id, LedgerMemberLotRow.held > LedgerMemberLotRow.reserved
            )
        )
        unreserved = {row.lot_id: row[1] for row in rows if split_lot_id(row.lot_id)[0] in self._accepting}
        pending_out = self._session.scalar(
            select(func.coalesce(func.sum(OperationRow.pending_out), 0)).where(OperationRow.member_id == member_id, IS_OPEN)
        )
        return Holding(unreserved, Points(int(pending_out or 0)))

    @cached_property
    def _accepting(self) -> frozenset[int]:
        today = local_day(self._work.now, self._work.of(SqlCoalition).facts.utc_offset_seconds)
        return accepting_brands(self._session, today)

    def expired(self, day: int) -> Iterable[ExpiredPoints]:
        """Unreserved points in lots whose last local day lies before `day`."""
        expiry_day = LedgerMemberLotRow.lot_id % 2**32
        rows = self._session.execute(
            select(LedgerMemberLotRow.member_id, LedgerMemberLotRow.lot_id, LedgerMemberLotRow.held - LedgerMemberLotRow.reserved)
            .where(LedgerMemberLotRow.held > LedgerMemberLotRow.reserved, expiry_day != NEVER, expiry_day < day)
            .order_by(LedgerMemberLotRow.lot_id, LedgerMemberLotRow.member_id)
        )
        return [ExpiredPoints(member_id, Line(*split_lot_id(lot_id), Points(points))) for member_id, lot_id, points in rows]

    def lots_of(self, member_id: MemberId, brand_id: int) -> list[tuple[int, int]]:
        """(expiry day, unreserved points), by lot."""
        row = LedgerMemberLotRow
        rows = self._session.execute(
            select(row.lot_id, row.held - row.reserved)
            .where(row.member_id == member_id, row.held > row.reserved)
            .where(row.lot_id.between(brand_id << 32, (brand_id << 32) + 2**32 - 1))
            .order_by(row.lot_id)
        )
        return [(split_lot_id(lot)[1], points) for lot, points in rows]

    def pending_expiries(self) -> set[tuple[MemberId, LotId]]:
        """(member, lot) of expiries on their way."""
        rows = self._session.scalars(select(OperationRow).where(IS_OPEN, OperationRow.kind == OperationKind.EXPIRE))
        expiries = (operation for operation in map(operation_of, rows) if isinstance(operation, ExpireOperation))
        return {(operation.member_id, lot_id(operation.brand_id, operation.expiry_day)) for operation in expiries}


class SqlTransfers:
    """Transfers as the projection has them, whoever carried them."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def is_done(self, transfer_id: ReservationId) -> bool:
        counted = LedgerEntryRow.reservation_id == transfer_id, LedgerEntryRow.refused_reason.is_(None)
        return self._session.scalar(select(LedgerEntryRow.position).where(*counted).limit(1)) is not None
