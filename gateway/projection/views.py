"""How much of the ledger the projection holds, and whose points are accepted."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from gateway.ledger.brand_states import ACCEPTING, BrandState
from gateway.ledger.state import BrandRecord
from gateway.projection.tables import LedgerBlockRow, LedgerBrandRow, LedgerEntryRow, LedgerExposureLimitRow, LedgerExposureRow


def count_projected(session: Session) -> tuple[int, int]:
    """(blocks, entries)."""
    blocks, entries = (session.scalar(select(func.count()).select_from(row)) or 0 for row in (LedgerBlockRow, LedgerEntryRow))
    return blocks, entries


def accepting_brands(session: Session, local_day: int) -> frozenset[int]:
    """Brands that accept points on this day and whose points others accept."""
    rows = session.execute(select(LedgerBrandRow.brand_id, LedgerBrandRow.status, LedgerBrandRow.last_day))
    brands = {brand_id: BrandRecord(BrandState[status.upper()], limit=0, last_day=last_day) for brand_id, status, last_day in rows}
    return frozenset(brand_id for brand_id, brand in brands.items() if brand.state_on(local_day) in ACCEPTING)


def exposure_room(acceptor_id: int, issuers: Collection[int]) -> Select[int, int]:
    """(issuer, what the brand still lets itself be owed by the ledger); no row where it never said."""
    limit, exposed = LedgerExposureLimitRow, LedgerExposureRow
    return (
        select(limit.issuer_id, limit.most - func.coalesce(exposed.points, 0))
        .outerjoin(exposed, (exposed.issuer_id == limit.issuer_id) & (exposed.acceptor_id == limit.acceptor_id))
        .where(limit.acceptor_id == acceptor_id, limit.issuer_id.in_(issuers))
    )
