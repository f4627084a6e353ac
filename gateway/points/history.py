"""A member's history, newest first, in members' words: what is on its way, then page by page what stands on the ledger.

A page's cursor is a place on the ledger, so that an item never shows twice however much is added meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.brands.ports import Brands
from gateway.ledger.lots import split_lot_id
from gateway.members.ports import Members
from gateway.points.history_words import words_for
from gateway.projection.tables import LedgerEntryRow, LedgerMemberLotRow, LedgerMovementRow
from gateway.rounds.tables import IS_OPEN, BatchRow, OperationRow
from gateway.store.pages import cursor_after, position_of
from gateway.values.calendar import expiry_date, moment
from gateway.values.errors import NotFound
from gateway.values.ids import MemberId

MAX_PENDING = 200


@dataclass(frozen=True, slots=True)
class HistoryLot:
    """What an entry did to one lot: `points` held more or less, `reserved` set aside or released."""

    brand_id: int
    brand_name: str
    expiry_date: str | None
    points: int
    reserved: int


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """`status` is confirmed, refused (`reason` names the ledger's refusal) or pending (not on the ledger yet)."""

    at: str
    text: str
    kind: str
    status: str
    reason: str | None
    brand_id: int | None
    brand_name: str
    points: int
    lots: list[HistoryLot]
    block_number: int | None
    operation_id: str | None


@dataclass(frozen=True, slots=True)
class HistoryView:
    member_id: str
    items: list[HistoryItem]
    next_cursor: str | None


def member_history(
    session: Session, member_id: MemberId, cursor: str | None, limit: int, *, brands: Brands, members: Members
) -> HistoryView:
    """`limit` counts entries of the ledger; what is on its way comes on top of the first page."""
    before = position_of(cursor)
    if members.find(member_id) is None:
        _check_holds(session, member_id)
    names = brands.names()
    entries = _entries(session, member_id, before, limit + 1)
    shown = entries[:limit]
    lots = _lots(session, member_id, [entry.position for entry in shown], names)
    operations = _operation_ids(session, shown)
    pending = _pending(session, member_id, names) if before is None else []
    confirmed = [
        _item(
            entry, member_id, names, lots.get(entry.position, []), operations.get((entry.brand_id, entry.batch_number, entry.entry_index))
        )
        for entry in shown
    ]
    return HistoryView(str(member_id), pending + confirmed, cursor_after(shown[-1].position) if len(entries) > limit else None)


def _check_holds(session: Session, member_id: MemberId) -> None:
    if session.scalar(select(LedgerMemberLotRow.lot_id).where(LedgerMemberLotRow.member_id == member_id).limit(1)) is None:
        raise NotFound(f"there is no member {member_id}", member_id=str(member_id))


def _entries(session: Session, member_id: MemberId, before: int | None, limit: int) -> list[LedgerEntryRow]:
    query = select(LedgerEntryRow).where(or_(LedgerEntryRow.member_id == member_id, LedgerEntryRow.taker_id == member_id))
    if before is not None:
        query = query.where(LedgerEntryRow.position < before)
    return list(session.scalars(query.order_by(LedgerEntryRow.position.desc()).limit(limit)))


def _lots(session: Session, member_id: MemberId, positions: list[int], names: dict[int, str]) -> dict[int, list[HistoryLot]]:
    found: dict[int, list[HistoryLot]] = {}
    row = LedgerMovementRow
    hers = row.position.in_(positions), row.member_id == member_id
    for movement in session.scalars(select(row).where(*hers).order_by(row.position, row.lot_id)):
        brand_id, expiry_day = split_lot_id(movement.lot_id)
        lot = HistoryLot(brand_id, _name(names, brand_id), expiry_date(expiry_day), movement.held_delta, movement.reserved_delta)
        found.setdefault(movement.position, []).append(lot)
    return found


def _operation_ids(session: Session, entries: list[LedgerEntryRow]) -> dict[tuple[int, int, int], str]:
    """By brand, batch number and entry index. A projection without its operations has none."""
    numbers = {entry.batch_number for entry in entries}
    rows = session.execute(
        select(BatchRow.brand_id, BatchRow.number, OperationRow.entry_index, OperationRow.operation_id)
        .join(OperationRow, OperationRow.batch_id == BatchRow.batch_id)
        .where(BatchRow.brand_id.in_({entry.brand_id for entry in entries}), BatchRow.number.in_(numbers))
        .where(OperationRow.member_id.in_({entry.member_id for entry in entries}))
    )
    return {(brand_id, number, index or 0): operation_id for brand_id, number, index, operation_id in rows}


def _pending(session: Session, member_id: MemberId, names: dict[int, str]) -> list[HistoryItem]:
    rows = session.scalars(
        select(OperationRow)
        .where(OperationRow.member_id == member_id, IS_OPEN, OperationRow.brand_id.is_not(None))
        .order_by(OperationRow.sequence.desc())
        .limit(MAX_PENDING)
    )
    items = []
    for row in rows:
        name = _name(names, row.brand_id)
        text = words_for(row.kind, row.points, name, "pending")
        items.append(
            HistoryItem(moment(row.created_at), text, row.kind, "pending", None, row.brand_id, name, row.points, [], None, row.operation_id)
        )
    return items


def _item(
    entry: LedgerEntryRow, member_id: MemberId, names: dict[int, str], lots: list[HistoryLot], operation_id: str | None
) -> HistoryItem:
    status = "confirmed" if entry.refused_reason is None else "refused"
    name = _name(names, entry.brand_id)
    return HistoryItem(
        moment(entry.block_timestamp),
        words_for(entry.kind, entry.points, name, status, is_taker=entry.taker_id == member_id),
        entry.kind,
        status,
        entry.refused_reason,
        entry.brand_id,
        name,
        entry.points,
        lots,
        entry.block_number,
        operation_id,
    )


def _name(names: dict[int, str], brand_id: int | None) -> str:
    return names.get(brand_id or 0, f"Brand {brand_id}")
