"""Transfers as the ledger has them, or on their way to it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.ledger.entries import Transfer, decode_entry
from gateway.ledger.lots import Line
from gateway.projection.tables import LedgerEntryRow
from gateway.rounds.lot_operation import TransferOperation
from gateway.rounds.operation import OperationKind
from gateway.rounds.operation_codec import operation_of
from gateway.rounds.tables import OperationRow
from gateway.rounds.views import OperationView, find_operations
from gateway.values.calendar import expiry_date, moment
from gateway.values.errors import NotFound
from gateway.values.ids import ReservationId


@dataclass(frozen=True, slots=True)
class TransferLine:
    lot_id: str
    brand_id: int
    expiry_date: str | None
    points: int


@dataclass(frozen=True, slots=True)
class TransferView:
    """`brand_id` carried it. `status`: done on the ledger; accepted, packed or refused before it is there."""

    transfer_id: str
    brand_id: int
    giver_id: str
    taker_id: str
    points: int
    deadline: str
    status: str
    lots: list[TransferLine]
    operations: list[OperationView]


def find_transfer(session: Session, transfer_id: ReservationId) -> TransferView:
    """Refuses a transfer that is neither on the ledger nor on its way."""
    row = OperationRow
    rows = list(
        session.scalars(select(row).where(row.reservation_id == transfer_id, row.kind == OperationKind.TRANSFER).order_by(row.sequence))
    )
    found = find_operations(session, [row.operation_id for row in rows])
    operations = [found[row.operation_id] for row in rows]
    counted = LedgerEntryRow.reservation_id == transfer_id, LedgerEntryRow.kind == "transfer", LedgerEntryRow.refused_reason.is_(None)
    on_ledger = session.scalar(select(LedgerEntryRow).where(*counted).limit(1))
    if on_ledger is not None:
        entry = decode_entry(on_ledger.entry)
        assert isinstance(entry, Transfer)
        return _view(transfer_id, on_ledger.brand_id, entry, "done", operations)
    if not rows:
        raise NotFound(f"there is no transfer {transfer_id}", transfer_id=str(transfer_id))
    asked = operation_of(rows[-1])
    assert isinstance(asked, TransferOperation)
    sides = asked.member_id, asked.taker_id, asked.nonce, asked.deadline
    entry = Transfer(*sides, asked.giver_proof, asked.taker_proof, asked.lines)
    return _view(transfer_id, asked.brand_id, entry, rows[-1].status, operations)


def transfer_line(line: Line) -> TransferLine:
    return TransferLine(str(line.lot_id), line.brand_id, expiry_date(line.expiry_day), line.points)


def _view(transfer_id: ReservationId, brand_id: int, entry: Transfer, status: str, operations: list[OperationView]) -> TransferView:
    return TransferView(
        str(transfer_id),
        brand_id,
        str(entry.giver),
        str(entry.taker),
        sum(line.points for line in entry.lines),
        moment(entry.deadline),
        status,
        [transfer_line(line) for line in entry.lines],
        operations,
    )
