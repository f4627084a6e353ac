"""A batch that a brand signed and this gateway lost, as one restored from a backup does: it is asked for and submitted under its number.

Only where every entry of it is what an operation that waits here would say: no signer has the gateway send anything else. From which of a
reservation's lots a capture takes is the ledger's to check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from gateway.ledger.entries import Capture, Issue, Opening, PointRefund, Void, decode_entry, kind_of
from gateway.ledger.framing import unpack_entries
from gateway.ledger.packed_fields import MalformedEntry
from gateway.projection.changes import HIGHEST_COUNTED, note_numbers
from gateway.projection.tables import LedgerBatchRow, LedgerEntryRow
from gateway.rounds.found_entries import as_on_ledger
from gateway.rounds.operation import GIVING_KINDS, EntryOperation, OperationKind
from gateway.rounds.operation_codec import columns_of, operation_of
from gateway.rounds.outcomes import SPENDING_LIFETIME_SECONDS
from gateway.rounds.packing import ENTRIES_MAX
from gateway.rounds.tables import BatchRow, OperationRow
from gateway.values.ids import Reference

TAKEN_OVER_KINDS = (*GIVING_KINDS, OperationKind.CAPTURE, OperationKind.VOID, OperationKind.POINT_REFUND)
"""What needs none of the points that a member may be spending elsewhere meanwhile: it gives some, or is of a reservation."""


@dataclass(frozen=True, slots=True)
class SignedEarlier:
    """What a signer says that it signed before, under which number. Its word alone."""

    number: int
    entries: bytes


def take_over(session: Session, refused: BatchRow, earlier: SignedEarlier, now: int, lifetime_seconds: int) -> bool:
    """Puts the batch in the place of operations that wait, some in the one that was `refused`; False where it is not theirs alone.

    `lifetime_seconds`: of one that spends nothing, as when it is packed. No batch that is packed later has its number.
    """
    named = _entries_of(refused.brand_id, earlier)
    at = (BatchRow.brand_id == refused.brand_id, BatchRow.number == earlier.number)
    row = session.scalars(select(BatchRow).where(*at)).one_or_none()
    is_recorded = session.get(LedgerBatchRow, (refused.brand_id, earlier.number)) is not None
    if not named or is_recorded or earlier.number > HIGHEST_COUNTED or (row is not None and row.status != "failed"):
        return False
    waiting = _waiting(session, refused, named)
    if len(waiting) < len(named):
        return False
    if row is None:
        row = BatchRow(brand_id=refused.brand_id, number=earlier.number, created_at=refused.created_at)
        session.add(row)
    spends = any(entry.reservation_id is not None for entry in named.values())
    row.entries, row.entry_count = earlier.entries, len(named)
    row.deadline = now + (SPENDING_LIFETIME_SECONDS if spends else lifetime_seconds)
    row.status, row.signature, row.transaction_id = "packed", None, None
    session.flush()
    note_numbers(session, [(row.brand_id, row.number)])
    session.execute(update(OperationRow).where(OperationRow.batch_id == row.batch_id).values(batch_id=None, entry_index=None))
    for sequence, values in waiting.items():
        session.execute(update(OperationRow).where(OperationRow.sequence == sequence).values(**values, batch_id=row.batch_id))
    return True


def _entries_of(brand_id: int, earlier: SignedEarlier) -> dict[Reference, LedgerEntryRow]:
    """Its entries as the ledger would show them; none where one is of a kind that is not taken over."""
    found: dict[Reference, LedgerEntryRow] = {}
    try:
        packed = unpack_entries(earlier.entries)
        for index, raw in enumerate(packed):
            entry = decode_entry(raw)
            if not isinstance(entry, Issue | Opening | Capture | Void | PointRefund):
                return {}
            named = {"kind": kind_of(entry).name.lower(), "reference": entry.reference, **_about(entry)}
            found[entry.reference] = LedgerEntryRow(brand_id=brand_id, entry_index=index, entry=raw, **named)
    except MalformedEntry:
        return {}
    return found if len(found) == len(packed) <= ENTRIES_MAX else {}


def _about(entry: Issue | Opening | Capture | Void | PointRefund) -> dict[str, object]:
    """Of a reservation the ledger knows whose it is."""
    if isinstance(entry, Issue | Opening):
        return {"member_id": entry.member, "points": entry.points}
    return {"reservation_id": entry.reservation_id, "points": sum(line.points for line in entry.lines)}


def _waiting(session: Session, refused: BatchRow, named: Mapping[Reference, LedgerEntryRow]) -> dict[int, dict[str, object]]:
    """What becomes of the operations that these entries are of, by their sequence."""
    is_free = or_(OperationRow.status == "accepted", OperationRow.batch_id == refused.batch_id)
    of_brand = OperationRow.brand_id == refused.brand_id, OperationRow.kind.in_(TAKEN_OVER_KINDS)
    rows = session.scalars(select(OperationRow).where(*of_brand, OperationRow.reference.in_(named), is_free))
    found: dict[int, dict[str, object]] = {}
    for row in rows:
        operation = operation_of(row)
        assert isinstance(operation, EntryOperation)
        assert row.reference is not None
        entry = named[row.reference]
        if entry.reservation_id is not None:
            entry.member_id = row.member_id
        as_there = as_on_ledger(operation, entry)
        if as_there is not None:
            state = {"status": "packed", "reason": None, "not_before": None, "entry_index": entry.entry_index}
            found[row.sequence] = {"body": columns_of(as_there)["body"], **state}
    return found
