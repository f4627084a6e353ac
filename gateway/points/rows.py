"""Points as the projection has them, with what accepted operations will still take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.coalition.rows import SqlCoalition
from gateway.ledger.lots import Line, lot_id, split_lot_id
from gateway.points.holding import Holding
from gateway.points.ports import ExpiredPoints
from gateway.projection.tables import LedgerEntryRow, LedgerMemberLotRow
from gateway.projection.views import accepting_brands, exposure_room
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

    def holding_at(self, brand_id: int, member_id: MemberId) -> Holding:
        holding = self.holding(member_id)
        return replace(holding, room=room_for(self._session, brand_id, member_id, holding.unreserved))

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


def room_for(session: Session, brand_id: int, member_id: MemberId, unreserved: Mapping[LotId, int]) -> dict[int, int]:
    """What the brand still lets itself be owed of the issuers whose points the member holds.

    Accepted redemptions of others, whose lots nobody has chosen yet, may take all that they ask for or their member holds. They are looked
    at closely only where it matters; the member's own are among what is pending out.
    """
    held = Counter[int]()
    for lot, points in unreserved.items():
        if (issuer := lot >> 32) != brand_id:
            held[issuer] += points
    if not held:
        return {}
    row = OperationRow
    redeeming = IS_OPEN, row.kind.in_((OperationKind.AUTHORIZE, OperationKind.REDEEM)), row.brand_id == brand_id, row.member_id != member_id
    asked = select(func.coalesce(func.sum(row.pending_out), 0)).where(*redeeming).scalar_subquery()
    rooms = session.execute(exposure_room(brand_id, held).add_columns(asked)).all()
    room = {issuer: left for issuer, left, _ in rooms}
    for issuer in (issuer for issuer, left, pending in rooms if 0 < left < held[issuer] + pending and pending):
        others = select(row.member_id, func.sum(row.pending_out).label("asked")).where(*redeeming).group_by(row.member_id).subquery()
        theirs = LedgerMemberLotRow
        there = session.execute(
            select(others.c.asked, func.sum(theirs.held - theirs.reserved))
            .join(theirs, theirs.member_id == others.c.member_id)
            .where(theirs.lot_id.between(issuer << 32, (issuer << 32) + 2**32 - 1))
            .group_by(others.c.member_id, others.c.asked)
        )
        room[issuer] -= sum(min(int(each[0]), int(each[1])) for each in there)
    return room
