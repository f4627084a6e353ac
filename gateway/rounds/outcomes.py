"""What blocks mean for the gateway's own batches, transactions and operations: confirmed, refused, or to be packed again.

The ledger decides: whatever a row said before, an entry that counted is confirmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, or_, select, tuple_, update
from sqlalchemy.orm import Session

from gateway.coalition.tables import GovernanceActRow
from gateway.ledger.entries import kind_of
from gateway.projection.batch_reading import ReadBatch, ReadBlock
from gateway.rounds.governance_outcomes import follow_governance, reopen_acts
from gateway.rounds.ports import OperationEnds
from gateway.rounds.tables import BatchRow, OperationRow, ReferenceRow, TransactionRow
from gateway.store.upsert import insert_missing
from gateway.values.ids import Hash, OperationId

OUT_OF_GAS = "out_of_gas"  # never met as long as rounds/gas.py bounds entries from above
BATCH_PURPOSE = "batch"
OPEN = ("accepted", "packed")
SPENDING_LIFETIME_SECONDS = 30
"""How long a signature may take that members wait for, and one that is asked for again."""


@dataclass(frozen=True, slots=True)
class MinedTransaction:
    """A transaction of the gateway that is in a block; `reason` says why it did nothing, None if it succeeded."""

    transaction_hash: Hash
    block_number: int
    block_timestamp: int
    gas_used: int
    reason: str | None


def mark_outcomes(session: Session, blocks: Sequence[ReadBlock], mined: Sequence[MinedTransaction], ends: OperationEnds) -> None:
    """Marks everything that ended in these blocks."""
    for transaction in mined:
        _mark_transaction(session, transaction, ends)
    batches = [(block, item) for block in blocks for item in block.items if isinstance(item, ReadBatch)]
    for start in range(0, len(batches), 200):
        _mark_batches(session, batches[start : start + 200], ends)
    follow_governance(session, blocks)


def reopen_after(session: Session, block_number: int) -> None:
    """Forgets what ended in blocks above this one: their transactions, failed ones too, count as stored again and will be sent again."""
    gone = select(TransactionRow.transaction_id).where(TransactionRow.block_number > block_number)
    batches = select(BatchRow.batch_id).where(BatchRow.transaction_id.in_(gone), BatchRow.status == "recorded")
    session.execute(
        update(OperationRow)
        .where(OperationRow.block_number > block_number, or_(OperationRow.batch_id.in_(batches), OperationRow.transaction_id.in_(gone)))
        .values(status="packed", reason=None, block_number=None, finished_at=None)
    )
    reopen_acts(session, block_number)
    session.execute(update(BatchRow).where(BatchRow.batch_id.in_(batches)).values(status="signed"))
    session.execute(
        update(TransactionRow)
        .where(TransactionRow.block_number > block_number, TransactionRow.status.in_(("mined", "failed")))
        .values(status="stored", block_number=None, gas_used=None)
    )


def ask_again(batch: BatchRow, now: int) -> None:
    """Has a batch signed and sent again under its number, which still counts once: signers do not sign its entries under another."""
    batch.status, batch.signature, batch.transaction_id, batch.deadline = "packed", None, None, now + SPENDING_LIFETIME_SECONDS


def unpack(session: Session, batch: BatchRow) -> None:
    """Gives up a batch that nobody signed, or whose number went to other content; its operations wait to be packed again."""
    batch.status = "failed"
    session.execute(
        update(OperationRow)
        .where(OperationRow.batch_id == batch.batch_id, OperationRow.status == "packed")
        .values(status="accepted", batch_id=None, entry_index=None)
    )


def refuse_batch(session: Session, batch: BatchRow, reason: str, at: int, ends: OperationEnds) -> None:
    """Gives up a batch and refuses its operations."""
    batch.status = "failed"
    ends.refused(session, operation_ids(session, OperationRow.batch_id == batch.batch_id))
    session.execute(
        update(OperationRow)
        .where(OperationRow.batch_id == batch.batch_id, OperationRow.status == "packed")
        .values(status="refused", reason=reason, finished_at=at)
    )


def operation_ids(session: Session, *named: ColumnElement[bool]) -> list[OperationId]:
    """The ids of operations that meet these conditions."""
    return [OperationId(found) for found in session.scalars(select(OperationRow.operation_id).where(*named))]


def _mark_transaction(session: Session, mined: MinedTransaction, ends: OperationEnds) -> None:
    row = session.scalars(select(TransactionRow).where(TransactionRow.transaction_hash == mined.transaction_hash)).one()
    row.status = "mined" if mined.reason is None else "failed"
    row.block_number, row.gas_used = mined.block_number, mined.gas_used
    rivals = select(TransactionRow).where(TransactionRow.nonce == row.nonce, TransactionRow.transaction_id != row.transaction_id)
    ids = [row.transaction_id]
    for rival in session.scalars(rivals):
        ids.append(rival.transaction_id)
        if rival.status == "stored":
            rival.status = "replaced"
    batch = session.scalars(select(BatchRow).where(BatchRow.transaction_id.in_(ids))).one_or_none()
    if batch is not None:
        batch.transaction_id = row.transaction_id
        if mined.reason is not None:
            _mark_failed_batch(session, batch, mined, ends)
        return
    proposed = session.scalars(select(GovernanceActRow).where(GovernanceActRow.proposed_in.in_(ids))).one_or_none()
    if proposed is not None:
        proposed.proposed_in = row.transaction_id
        if mined.reason is not None:
            _mark_failed_proposal(session, proposed, mined)
        return
    own = update(OperationRow).where(OperationRow.transaction_id.in_(ids), OperationRow.batch_id.is_(None))
    session.execute(
        own.values(
            transaction_id=row.transaction_id,
            status="confirmed" if mined.reason is None else "refused",
            reason=mined.reason,
            block_number=mined.block_number,
            finished_at=mined.block_timestamp,
        )
    )


def _mark_failed_proposal(session: Session, act: GovernanceActRow, mined: MinedTransaction) -> None:
    refused = update(OperationRow).where(OperationRow.sequence == act.operation_sequence)
    ended = {"block_number": mined.block_number, "finished_at": mined.block_timestamp}
    session.execute(refused.values(status="refused", reason=f"not_proposed: {mined.reason}", **ended))


def _mark_failed_batch(session: Session, batch: BatchRow, mined: MinedTransaction, ends: OperationEnds) -> None:
    if batch.status in ("recorded", "failed"):
        return
    if mined.reason == "BatchExpired":
        ask_again(batch, mined.block_timestamp)
    else:
        refuse_batch(session, batch, f"batch_reverted: {mined.reason}", mined.block_timestamp, ends)


def _mark_batches(session: Session, batches: Sequence[tuple[ReadBlock, ReadBatch]], ends: OperationEnds) -> None:
    names = [(read.brand_id, read.number) for _, read in batches]
    rows = {
        (row.brand_id, row.number): row
        for row in session.scalars(select(BatchRow).where(tuple_(BatchRow.brand_id, BatchRow.number).in_(names)))
    }
    references: list[dict[str, Any]] = []
    for block, read in batches:
        row = rows.get((read.brand_id, read.number))
        is_ours = row is not None and row.entries == read.packed
        if row is not None and is_ours:
            is_news, row.status = row.status == "signed", "recorded"
            if _end_operations(session, row.batch_id, block, read, ends) and is_news:
                continue  # their references were used up when they were accepted; on a rebuild they are filled in again
        elif row is not None and row.status != "failed":
            unpack(session, row)  # the number was used for other content: ours can never be recorded
        references += _references(session, row.batch_id if row is not None and is_ours else None, read)
    insert_missing(session, ReferenceRow, references)


def _end_operations(session: Session, batch_id: int, block: ReadBlock, read: ReadBatch, ends: OperationEnds) -> bool:
    """Whether every entry was an operation of the gateway's. Those are few that the ledger refused, and are marked one by one."""
    ended = {"block_number": block.block.number, "finished_at": block.block.timestamp}
    of_batch = update(OperationRow).where(OperationRow.batch_id == batch_id)
    confirmed = session.execute(of_batch.values(status="confirmed", reason=None, **ended))
    refused = {index: entry.refused for index, entry in enumerate(read.entries) if entry.refused is not None}
    for index, reason in refused.items():
        session.execute(of_batch.where(OperationRow.entry_index == index).values(status="refused", reason=reason))
    if refused:
        ends.refused(session, operation_ids(session, OperationRow.batch_id == batch_id, OperationRow.entry_index.in_(list(refused))))
    ended_here: int = cast(CursorResult[Any], confirmed).rowcount
    return ended_here == len(read.entries)


def _references(session: Session, batch_id: int | None, read: ReadBatch) -> list[dict[str, Any]]:
    """What a batch's entries used up, with the operations behind them that are known."""
    known = _operations_of(session, batch_id) if batch_id is not None else {}
    found = []
    for index, entry in enumerate(read.entries):
        reference = getattr(entry.entry, "reference", None)
        if entry.entry is not None and reference is not None and entry.refused is None:
            kind = kind_of(entry.entry).name.lower()
            found.append({"brand_id": read.brand_id, "reference": reference, "kind": kind, "operation_id": known.get(index)})
    return found


def _operations_of(session: Session, batch_id: int) -> dict[int | None, str]:
    """Operation ids by entry index."""
    found = select(OperationRow.entry_index, OperationRow.operation_id).where(OperationRow.batch_id == batch_id)
    return dict(session.execute(found).all())
