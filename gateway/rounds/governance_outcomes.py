"""What governance's own events mean for acts: they were executed by whomever, cancelled, vetoed, or have lapsed.

The ledger decides: an act that a stranger executed is confirmed, and one that the guardian cancelled waits no longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from gateway.chain.artifacts import Event
from gateway.coalition.tables import GovernanceActRow
from gateway.ledger.governance import ACT_LIFETIME_SECONDS
from gateway.projection.batch_reading import ReadBlock
from gateway.projection.tables import LedgerBlockRow
from gateway.rounds.tables import OperationRow, TransactionRow
from gateway.values.ids import Hash

CANCELLED, VETOED, LAPSED = "cancelled", "vetoed", "lapsed"
_WAITING = ("proposed", "packed")


def follow_governance(session: Session, blocks: Sequence[ReadBlock]) -> None:
    """Ends the acts that ended in these blocks."""
    vetoed: set[bytes] = set()
    for block in blocks:
        for item in block.items:
            if not isinstance(item, Event):
                continue
            values = item.values
            match item.name:
                case "OwnerVetoed":
                    vetoed.add(values["operation"])
                case "Cancelled":
                    _end(session, values["id"], block, VETOED if values["id"] in vetoed else CANCELLED)
                case "CallExecuted":
                    _end(session, values["id"], block, None)
    _lapse(session, blocks[-1])


def reopen_acts(session: Session, block_number: int) -> None:
    """Acts that ended in blocks above this one, by an event or a proposal that failed, and by no execution of the gateway's, wait again."""
    acts = select(GovernanceActRow.operation_sequence)
    ended = OperationRow.block_number > block_number, OperationRow.transaction_id.is_(None), OperationRow.sequence.in_(acts)
    session.execute(update(OperationRow).where(*ended).values(status="proposed", reason=None, block_number=None, finished_at=None))


def _end(session: Session, act: bytes, block: ReadBlock, reason: str | None) -> None:
    """Confirmed whatever the row says, for a stranger may have been first; refused only if it still waits."""
    sequence = select(GovernanceActRow.operation_sequence).where(GovernanceActRow.act_id == Hash(act)).scalar_subquery()
    ends = update(OperationRow).where(OperationRow.sequence == sequence)
    if reason is not None:
        ends = ends.where(OperationRow.status.in_(_WAITING))
    session.execute(ends.values(**_ended(block, reason)))


def _ended(block: ReadBlock, reason: str | None) -> dict[str, Any]:
    status = "confirmed" if reason is None else "refused"
    return {"status": status, "reason": reason, "block_number": block.block.number, "finished_at": block.block.timestamp}


def _lapse(session: Session, block: ReadBlock) -> None:
    """An act lapses when it was ready for so long that the contract executes it no more."""
    lapsed = (
        select(GovernanceActRow.operation_sequence)
        .join(TransactionRow, TransactionRow.transaction_id == GovernanceActRow.proposed_in)
        .join(LedgerBlockRow, LedgerBlockRow.number == TransactionRow.block_number)
        .where(
            TransactionRow.status == "mined",
            LedgerBlockRow.timestamp + GovernanceActRow.delay_seconds + ACT_LIFETIME_SECONDS < block.block.timestamp,
        )
    )
    waiting = update(OperationRow).where(OperationRow.status == "proposed", OperationRow.sequence.in_(lapsed))
    session.execute(waiting.values(**_ended(block, LAPSED)))
