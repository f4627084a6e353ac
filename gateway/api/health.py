"""Health: whether the database answers, how far the projection is, and how the ledger worker stands. Open to everyone, tells no secrets."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gateway.api.context import ContextNeeded
from gateway.coalition.rows import find_coalition
from gateway.coalition.views import find_head
from gateway.rounds.views import count_open_operations

router = APIRouter(tags=["health"])


class HealthView(BaseModel):
    """`degraded`: requests are accepted, but the ledger worker has a fault and operations wait."""

    status: Literal["ok", "degraded", "uninitialized"]
    block_number: int | None
    operations_open: int
    worker: dict[str, Any] | None


@router.get("/healthz", responses={503: {"model": HealthView}})
def get_health(context: ContextNeeded, response: Response) -> HealthView:
    """200 while requests can be accepted, 503 before the gateway is initialized."""
    with context.database.read() as session:
        initialized = find_coalition(session) is not None
        head = find_head(session)
        waiting = count_open_operations(session)
    block = None if head is None else head.block_number
    worker = None if context.worker is None else dict(context.worker.health())
    if not initialized:
        response.status_code = 503
        return HealthView(status="uninitialized", block_number=block, operations_open=waiting, worker=worker)
    degraded = worker is not None and bool(worker.get("last_error"))
    return HealthView(status="degraded" if degraded else "ok", block_number=block, operations_open=waiting, worker=worker)
