"""What everyone may see of checkpoints: the newest of each witness, and whether it is of the chain that is projected here."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from gateway.checkpoints.tables import CheckpointRow
from gateway.projection.tables import LedgerBlockRow
from gateway.values.hex import hex_text
from gateway.values.ids import Address


@dataclass(frozen=True, slots=True)
class CheckpointView:
    """`agrees` is empty while the block is not projected yet; false: the witness saw another block of this number, or another time."""

    witness: str
    number: int
    block_hash: str
    block_time: int
    witnessed_at: int
    signature: str
    agrees: bool | None


def newest_checkpoints(session: Session) -> list[CheckpointView]:
    """Of each witness the newest, and beside it every one that disagrees; the newest first."""
    newest = select(CheckpointRow.witness, func.max(CheckpointRow.number).label("number")).group_by(CheckpointRow.witness).subquery()
    disagrees = or_(LedgerBlockRow.block_hash != CheckpointRow.block_hash, LedgerBlockRow.timestamp != CheckpointRow.block_time)
    rows = session.execute(
        select(CheckpointRow, LedgerBlockRow)
        .join(newest, newest.c.witness == CheckpointRow.witness)
        .outerjoin(LedgerBlockRow, LedgerBlockRow.number == CheckpointRow.number)
        .where(or_(CheckpointRow.number == newest.c.number, disagrees))
        .order_by(CheckpointRow.number.desc(), CheckpointRow.witness)
    )
    return [_view(row, block) for row, block in rows]


def recorded_checkpoint(session: Session, witness: Address, number: int) -> CheckpointView:
    """One that is there."""
    return _view(session.get_one(CheckpointRow, (witness, number)), session.get(LedgerBlockRow, number))


def _view(row: CheckpointRow, block: LedgerBlockRow | None) -> CheckpointView:
    agrees = None if block is None else (block.block_hash, block.timestamp) == (row.block_hash, row.block_time)
    signature = hex_text(row.signature)
    return CheckpointView(str(row.witness), row.number, str(row.block_hash), row.block_time, row.witnessed_at, signature, agrees)
