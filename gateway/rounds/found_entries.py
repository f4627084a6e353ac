"""Operations whose entry stands on the ledger already: what a gateway restored from a backup is told again.

The ledger decides: such an operation is confirmed where its entry stands, and never packed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from gateway.ledger.entries import Issue, decode_entry
from gateway.ledger.framing import pack_entries
from gateway.projection.tables import LedgerEntryRow
from gateway.rounds.operation import EntryOperation, IssueOperation, OperationKind, OperationStatus, WaitingEntry
from gateway.rounds.operation_codec import columns_of
from gateway.rounds.tables import BatchRow, OperationRow
from gateway.store.chunks import chunks
from gateway.values.ids import Reference

_AT_MOST = (OperationKind.CLAWBACK, OperationKind.RESTORE, OperationKind.EXTEND)
"""Of these the ledger may have fewer points than were due."""
_NO_POINTS = (OperationKind.VOID,)


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """An operation that waits, as the ledger's entry says it, and that entry's place."""

    sequence: int
    operation: EntryOperation
    points_due: int
    entry: LedgerEntryRow


def find_entries(session: Session, waiting: Iterable[WaitingEntry]) -> list[FoundEntry]:
    """Those of the operations whose entry stands on the ledger."""
    named: dict[int, dict[Reference, WaitingEntry]] = defaultdict(dict)
    for each in waiting:
        reference = getattr(each.operation, "reference", None)
        if reference is not None:
            named[each.operation.brand_id][reference] = each
    found = []
    for brand_id, of_brand in named.items():
        for some in chunks(of_brand):
            under = LedgerEntryRow.brand_id == brand_id, LedgerEntryRow.reference.in_(some), LedgerEntryRow.refused_reason.is_(None)
            for entry in session.scalars(select(LedgerEntryRow).where(*under)):
                assert entry.reference is not None
                one = of_brand[entry.reference]
                as_there = as_on_ledger(one.operation, entry)
                if as_there is not None:
                    found.append(FoundEntry(one.sequence, as_there, columns_of(one.operation)["points"], entry))
    return found


def as_on_ledger(operation: EntryOperation, entry: LedgerEntryRow) -> EntryOperation | None:
    """The operation as the entry says it; None where it says something else. A lot's expiry follows from when it was asked first."""
    columns = columns_of(operation)
    kind, points = OperationKind(columns["kind"]), columns["points"]
    same = ("brand_id", "kind", "member_id", "reservation_id", "reference")
    if any(columns[name] not in (None, getattr(entry, name)) for name in same):
        return None
    if kind not in _NO_POINTS and not (entry.points == points or (kind in _AT_MOST and entry.points < points)):
        return None
    if not isinstance(operation, IssueOperation):
        return operation
    issue = decode_entry(entry.entry)
    if not isinstance(issue, Issue) or (issue.basis.programme, issue.basis.decision) != (operation.rule_version, operation.decision.hash):
        return None
    return replace(operation, expiry_day=issue.expiry_day)


def end_where_found(session: Session, found: Sequence[FoundEntry]) -> None:
    """Confirms them where they stand."""
    batch_ids: dict[tuple[int, int], int] = {}
    for one in found:
        entry = one.entry
        batch = entry.brand_id, entry.batch_number
        if batch not in batch_ids:
            batch_ids[batch] = _batch_id(session, entry)
        values = {name: value for name, value in columns_of(one.operation).items() if name in ("body", "pending_out")}
        place = {"batch_id": batch_ids[batch], "entry_index": entry.entry_index, "block_number": entry.block_number}
        ended = {"status": OperationStatus.CONFIRMED.value, "reason": None, "finished_at": entry.block_timestamp, "not_before": None}
        session.execute(update(OperationRow).where(OperationRow.sequence == one.sequence).values(**values, **place, **ended))


def _batch_id(session: Session, entry: LedgerEntryRow) -> int:
    """The row of the entry's batch, as the ledger has it: it was made by a gateway of which this one knows no more."""
    in_order = select(LedgerEntryRow.entry).order_by(LedgerEntryRow.entry_index)
    packed = session.scalars(
        in_order.where(LedgerEntryRow.brand_id == entry.brand_id, LedgerEntryRow.batch_number == entry.batch_number)
    ).all()
    row = session.scalars(select(BatchRow).where(BatchRow.brand_id == entry.brand_id, BatchRow.number == entry.batch_number)).one_or_none()
    if row is not None and row.status == "recorded":
        return row.batch_id
    if row is None:
        row = BatchRow(brand_id=entry.brand_id, number=entry.batch_number, created_at=entry.block_timestamp, deadline=entry.block_timestamp)
        session.add(row)
    else:  # what was meant to go under this number never did
        of_it = OperationRow.batch_id == row.batch_id
        session.execute(update(OperationRow).where(of_it).values(batch_id=None, entry_index=None))
    row.entries, row.entry_count, row.status = pack_entries(packed), len(packed), "recorded"
    row.signature, row.transaction_id = None, None
    session.flush()
    return row.batch_id
