"""What callers have waiting, by principal."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.rounds.tables import IS_OPEN, OperationRow


def waiting_by_principal(session: Session, bound: int) -> dict[str, int]:
    """Empty while fewer than `bound` wait in all. What belongs to no brand is the operator's."""
    total = session.scalar(select(func.count()).select_from(OperationRow).where(IS_OPEN)) or 0
    if total < bound:
        return {}
    counted = select(OperationRow.brand_id, func.count()).where(IS_OPEN).group_by(OperationRow.brand_id)
    return {f"brand:{brand_id}" if brand_id else "operator": waiting for brand_id, waiting in session.execute(counted)}
