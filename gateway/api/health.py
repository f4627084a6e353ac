"""Health: whether the database answers, how far the projection is, and how the ledger worker stands. Open to everyone, tells no secrets."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import func, select

from gateway.api.context import ContextNeeded
from gateway.coalition.rows import find_coalition
from gateway.projection.tables import LedgerBlockRow
from gateway.rounds.tables import IS_OPEN, OperationRow

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
        block = session.scalar(select(func.max(LedgerBlockRow.number)))
        waiting = session.scalar(select(func.count()).select_from(OperationRow).where(IS_OPEN))
    worker = None if context.worker is None else dict(context.worker.health())
    if not initialized:
        response.status_code = 503
        return HealthView(status="uninitialized", block_number=block, operations_open=waiting or 0, worker=worker)
    degraded = worker is not None and bool(worker.get("last_error"))
    return HealthView(status="degraded" if degraded else "ok", block_number=block, operations_open=waiting or 0, worker=worker)
