"""Points as the projection has them, with what accepted operations will still take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from gateway.coalition.rows import SqlCoalition
from gateway.ledger.lots import Line, split_lot_id
from gateway.points.holding import Holding
from gateway.points.ports import ExpiredPoints, ExpiryRun
from gateway.projection.tables import LedgerEntryRow, LedgerLotRow, LedgerMemberLotRow
from gateway.projection.views import accepting_brands, exposure_room
from gateway.rounds.operation import OperationKind
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

    def expired(self, run: ExpiryRun, most: int) -> list[ExpiredPoints]:
        """Unreserved points in lots of the brand whose last local day lies before the run's day."""
        first, after = run.upto or (LotId(0), None)
        ended = expired_lots(run.day)
        lots = self._session.scalars(
            select(LedgerLotRow.lot_id)
            .where(LedgerLotRow.brand_id == run.brand_id, LedgerLotRow.lot_id >= first, *ended)
            .order_by(LedgerLotRow.lot_id)
        )
        found: list[ExpiredPoints] = []
        for lot in lots.all():
            if len(found) == most:
                break
            found += self._held_in(lot, after if lot == first else None, most - len(found))
        return found

    def _held_in(self, lot: LotId, after: MemberId | None, most: int) -> list[ExpiredPoints]:
        row = LedgerMemberLotRow
        held = select(row.member_id, row.held - row.reserved).where(row.lot_id == lot, row.held > row.reserved)
        if after is not None:
            held = held.where(row.member_id > after)
        rows = self._session.execute(held.order_by(row.member_id).limit(most))
        return [ExpiredPoints(member_id, Line(*split_lot_id(lot), Points(points))) for member_id, points in rows]

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


class SqlTransfers:
    """Transfers as the projection has them, whoever carried them."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def is_done(self, transfer_id: ReservationId) -> bool:
        counted = LedgerEntryRow.reservation_id == transfer_id, LedgerEntryRow.refused_reason.is_(None)
        return self._session.scalar(select(LedgerEntryRow.position).where(*counted).limit(1)) is not None


def expired_lots(day: int) -> tuple[ColumnElement[bool], ...]:
    """Of a lot: its last local day lies before this one, and it still holds points, reserved ones included."""
    row = LedgerLotRow
    gone = row.clawed_back + row.redeemed + row.expired
    return row.expiry_day != NEVER, row.expiry_day < day, row.issued + row.opened + row.refunded + row.restored + row.moved > gone


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
