"""The coalition: where its ledger stands, in what currency and time zone, and how far the projection is. Nothing here is secret."""

from __future__ import annotations

from dataclasses import replace

from gateway.api.context import ContextNeeded
from gateway.api.problems import OPEN_READS
from gateway.api.routing import Router
from gateway.coalition.views import CoalitionView

router = Router(prefix="/v1/coalition", tags=["coalition"])


@router.get("", responses={**OPEN_READS, 503: {"description": "The gateway is not initialized"}})
async def get_coalition(context: ContextNeeded) -> CoalitionView:
    """Open to everyone, also while the node is away."""
    shown = await context.shown.find_soon(context.coalition_views.find, None)
    assert shown is not None, "or it was refused"
    sealer = None if context.sealer is None else await context.sealer.now()
    return replace(shown, sealer=None if sealer is None else str(sealer))
