"""The coalition: where its ledger stands, in what currency and time zone, and how far the projection is. Nothing here is secret."""

from __future__ import annotations

from gateway.api.context import ContextNeeded
from gateway.api.problems import OPEN_READS
from gateway.api.routing import Router
from gateway.coalition.views import CoalitionView, coalition_view

router = Router(prefix="/v1/coalition", tags=["coalition"])


@router.get("", responses={**OPEN_READS, 503: {"description": "The gateway is not initialized, or its node has not answered yet"}})
def get_coalition(context: ContextNeeded) -> CoalitionView:
    """Open to everyone."""
    sealer = None if context.chain is None else context.chain.sealer
    with context.database.read() as session:
        return coalition_view(session, sealer)
