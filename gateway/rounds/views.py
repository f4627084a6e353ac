"""Operations as they stand: one, or a list with the newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from gateway.rounds.operation import OperationStatus
from gateway.rounds.tables import IS_OPEN, BatchRow, OperationRow, TransactionRow
from gateway.store.chunks import chunks
from gateway.store.pages import cursor_after, position_of
from gateway.values.calendar import moment, moment_or_none
from gateway.values.errors import NotFound
from gateway.values.hex import hex_text_or_none


@dataclass(frozen=True, slots=True)
class OperationView:
    """`status` is accepted, packed, confirmed or refused; `reason` says why it was refused. `batch_number` and `entry_index` find it
    on the ledger."""

    operation_id: str
    kind: str
    status: str
    reason: str | None
    brand_id: int | None
    member_id: str | None
    points: int
    reservation_id: str | None
    batch_number: int | None
    entry_index: int | None
    block_number: int | None
    transaction_hash: str | None
    created_at: str
    finished_at: str | None


@dataclass(frozen=True, slots=True)
class OperationList:
    operations: list[OperationView]
    next_cursor: str | None


def find_operation(session: Session, operation_id: str) -> OperationView:
    """Refuses an operation that is not there."""
    found = find_operations(session, [operation_id])
    if not found:
        raise NotFound(f"there is no operation {operation_id}")
    return found[operation_id]


def find_operations(session: Session, operation_ids: Iterable[str]) -> dict[str, OperationView]:
    """Those of the operations that are there, by id."""
    views: dict[str, OperationView] = {}
    for some in chunks(operation_ids):
        views.update({row.operation_id: _view(row) for row in session.execute(_NAMED, {"named": some})})
    return views


def list_operations(
    session: Session, brand_id: int | None, status: str | None, kind: str | None, cursor: str | None, limit: int, named: Sequence[str] = ()
) -> OperationList:
    """Newest first; `brand_id` None = of every brand and the operator. Of those `named` alone where any are."""
    query = _SELECT.order_by(OperationRow.sequence.desc()).limit(limit + 1)
    if named:
        query = query.where(OperationRow.operation_id.in_(named))
    if brand_id is not None:
        query = query.where(OperationRow.brand_id == brand_id)
    if status is not None:
        query = query.where(OperationRow.status == status)
    if kind is not None:
        query = query.where(OperationRow.kind == kind)
    before = position_of(cursor)
    if before is not None:
        query = query.where(OperationRow.sequence < before)
    rows = session.execute(query).all()
    shown = rows[:limit]
    return OperationList([_view(row) for row in shown], cursor_after(shown[-1].sequence) if len(rows) > limit else None)


_SELECT = (
    select(
        OperationRow.sequence,
        OperationRow.operation_id,
        OperationRow.kind,
        OperationRow.status,
        OperationRow.reason,
        OperationRow.brand_id,
        OperationRow.member_id,
        OperationRow.points,
        OperationRow.reservation_id,
        BatchRow.number,
        OperationRow.entry_index,
        OperationRow.block_number,
        TransactionRow.transaction_hash,
        OperationRow.created_at,
        OperationRow.finished_at,
    )
    .outerjoin(BatchRow, BatchRow.batch_id == OperationRow.batch_id)
    .outerjoin(TransactionRow, TransactionRow.transaction_id == OperationRow.transaction_id)
)
_NAMED = _SELECT.where(OperationRow.operation_id.in_(bindparam("named", expanding=True)))


def _view(row: Row[*tuple[Any, ...]]) -> OperationView:
    _sequence, operation_id, kind, status, reason, brand_id, member_id, points, reservation_id, number, index, block, *rest = row
    transaction_hash, created_at, finished_at = rest
    return OperationView(
        operation_id,
        kind,
        status,
        reason,
        brand_id,
        hex_text_or_none(member_id),
        points,
        hex_text_or_none(reservation_id),
        number,
        index,
        block,
        hex_text_or_none(transaction_hash),
        moment(created_at),
        moment_or_none(finished_at),
    )


@dataclass(frozen=True, slots=True)
class EndedOperation:
    """`status` is confirmed, or refused with its reason."""

    operation_id: str
    status: OperationStatus
    reason: str | None


def ended_operations(session: Session, operation_ids: Iterable[str]) -> list[EndedOperation]:
    """Those of the operations that have ended."""
    found: list[EndedOperation] = []
    for some in chunks(operation_ids):
        rows = session.execute(_ENDED, {"named": some})
        found += [EndedOperation(operation_id, OperationStatus(status), reason) for operation_id, status, reason in rows]
    return found


def count_open_operations(session: Session) -> int:
    """How many operations wait."""
    return session.scalar(select(func.count()).select_from(OperationRow).where(IS_OPEN)) or 0


@dataclass(frozen=True, slots=True)
class WorkCounts:
    """How many operations, batches and transactions there are, by status."""

    operations: dict[str, int]
    batches: dict[str, int]
    transactions: dict[str, int]


def count_work(session: Session) -> WorkCounts:
    """What waits and what is done."""
    return WorkCounts(*(_by_status(session, row) for row in (OperationRow, BatchRow, TransactionRow)))


def _by_status(session: Session, row: type[OperationRow | BatchRow | TransactionRow]) -> dict[str, int]:
    return dict(session.execute(select(row.status, func.count()).group_by(row.status)).all())


_ENDED = select(OperationRow.operation_id, OperationRow.status, OperationRow.reason).where(
    OperationRow.operation_id.in_(bindparam("named", expanding=True)),
    OperationRow.status.in_((OperationStatus.CONFIRMED.value, OperationStatus.REFUSED.value)),
)
