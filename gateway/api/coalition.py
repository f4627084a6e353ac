"""The coalition: where its ledger stands, in what currency and time zone, and how far the projection is. Nothing here is secret."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import func, select

from gateway.api.context import ContextNeeded
from gateway.coalition.tables import CoalitionRow
from gateway.projection.tables import LedgerBlockRow, LedgerEntryRow
from gateway.values.errors import Unavailable

router = APIRouter(prefix="/v1/coalition", tags=["coalition"])


class HeadView(BaseModel):
    """The newest block that the projection holds."""

    block_number: int
    block_hash: str
    timestamp: int


class CoalitionView(BaseModel):
    """What a signer, a wallet or an auditor needs to check this coalition's signatures and receipts. `entries` counts the ledger's.
    Without a `sealer` (an engine that seals nothing) there are no receipts."""

    coalition_id: str
    chain_id: int
    genesis_hash: str
    sealer: str | None
    points_address: str
    access_manager_address: str
    currency: str
    utc_offset_seconds: int
    sandbox: bool
    head: HeadView | None
    entries: int


@router.get("", responses={503: {"description": "The gateway is not initialized, or its node has not answered yet"}})
def get_coalition(context: ContextNeeded) -> CoalitionView:
    """Open to everyone."""
    sealer = None if context.chain is None else context.chain.sealer
    with context.database.read() as session:
        row = session.scalar(select(CoalitionRow))
        if row is None:
            raise Unavailable("the gateway is not initialized: run `splittally init`")
        block = session.scalar(select(LedgerBlockRow).order_by(LedgerBlockRow.number.desc()).limit(1))
        head = None if block is None else HeadView(block_number=block.number, block_hash=block.block_hash, timestamp=block.timestamp)
        return CoalitionView(
            coalition_id=row.coalition_id,
            chain_id=row.chain_id,
            genesis_hash=row.genesis_hash,
            sealer=sealer,
            points_address=row.points_address,
            access_manager_address=row.access_manager_address,
            currency=row.currency,
            utc_offset_seconds=row.utc_offset_seconds,
            sandbox=row.sandbox,
            head=head,
            entries=session.scalar(select(func.count()).select_from(LedgerEntryRow)) or 0,
        )
