"""How much of the ledger the projection holds."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.projection.tables import LedgerBlockRow, LedgerEntryRow


def count_projected(session: Session) -> tuple[int, int]:
    """(blocks, entries)."""
    blocks, entries = (session.scalar(select(func.count()).select_from(row)) or 0 for row in (LedgerBlockRow, LedgerEntryRow))
    return blocks, entries
