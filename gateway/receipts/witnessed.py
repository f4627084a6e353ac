"""Which checkpoints a receipt can name: those at or above its block that agree with what is projected, each witness once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import Function

from gateway.checkpoints.tables import CheckpointRow
from gateway.projection.tables import LedgerBlockRow

LINKS_MAX = 256


@dataclass(frozen=True)
class WitnessedBlock:
    """The block to prove at, and what was countersigned at it or up to `LINKS_MAX` blocks above."""

    number: int
    checkpoints: tuple[CheckpointRow, ...]

    @property
    def last(self) -> int:
        """The block up to which headers link the receipt's block with the checkpoints."""
        return max((row.number for row in self.checkpoints), default=self.number)


def newest_witnessed(session: Session, block_number: int) -> WitnessedBlock:
    """For what holds at every later block too: the newest checkpoint of each witness, proven at the lowest of them."""
    rows = _of_each_witness(session, block_number, func.max(CheckpointRow.number))
    last = max((row.number for row in rows), default=block_number)
    near = tuple(row for row in rows if row.number >= last - LINKS_MAX)
    return WitnessedBlock(min((row.number for row in near), default=block_number), near)


def witnessed_at(session: Session, block_number: int) -> WitnessedBlock:
    """For what holds at this block alone: the first checkpoint of each witness from there on."""
    rows = _of_each_witness(session, block_number, func.min(CheckpointRow.number))
    return WitnessedBlock(block_number, tuple(row for row in rows if row.number <= block_number + LINKS_MAX))


def _of_each_witness(session: Session, block_number: int, which: Function[int]) -> list[CheckpointRow]:
    agrees = and_(
        LedgerBlockRow.number == CheckpointRow.number,
        LedgerBlockRow.block_hash == CheckpointRow.block_hash,
        LedgerBlockRow.timestamp == CheckpointRow.block_time,
    )
    of_each = (
        select(CheckpointRow.witness, which.label("number"))
        .join(LedgerBlockRow, agrees)
        .where(CheckpointRow.number >= block_number)
        .group_by(CheckpointRow.witness)
        .subquery()
    )
    chosen = and_(of_each.c.witness == CheckpointRow.witness, of_each.c.number == CheckpointRow.number)
    return list(session.scalars(select(CheckpointRow).join(of_each, chosen).order_by(CheckpointRow.number, CheckpointRow.witness)))
