"""Health, thrice: that the process lives and whether it is ready, for everyone and without detail; how all parts stand, for who runs it."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import Response
from pydantic import BaseModel

from gateway.api.context import ContextNeeded
from gateway.api.permissions import AsOperator
from gateway.api.problems import OPEN_READS, READS
from gateway.api.routing import Router
from gateway.coalition.rows import find_coalition
from gateway.coalition.views import find_head
from gateway.loyalty.programmes.rule_views import RuleWaitingView, rules_waiting
from gateway.rounds.views import count_open_operations

router = Router(tags=["health"])


class LivenessView(BaseModel):
    status: Literal["ok"] = "ok"


class ReadinessView(BaseModel):
    status: Literal["ready", "not_ready"]


class HealthView(BaseModel):
    """`degraded`: requests are accepted, but the ledger worker has a fault and operations wait. `rules_waiting`: versions of brands'
    rules that their agents have not confirmed within an hour."""

    status: Literal["ok", "degraded", "uninitialized"]
    block_number: int | None
    operations_open: int
    worker: dict[str, Any] | None
    rules_waiting: list[RuleWaitingView]


@router.get("/healthz", responses=OPEN_READS)
async def get_liveness() -> LivenessView:
    """200 while the process answers. It asks nobody, so that nothing that is busy or away ends the process."""
    return LivenessView()


@router.get("/readyz", responses={**OPEN_READS, 503: {"model": ReadinessView}})
async def get_readiness(context: ContextNeeded, response: Response) -> ReadinessView:
    """200 while requests can be accepted, 503 before the gateway is initialized or while its database does not answer."""
    if await context.readiness.now():
        return ReadinessView(status="ready")
    response.status_code = 503
    return ReadinessView(status="not_ready")


@router.get("/v1/health", responses=READS)
def get_health(_caller: AsOperator, context: ContextNeeded) -> HealthView:
    """Whether the database answers, how far the projection is, and how the ledger worker and the brands' signers stand."""
    with context.reading() as work:
        initialized = find_coalition(work.session) is not None
        head = find_head(work.session)
        waiting = count_open_operations(work.session)
        rules = rules_waiting(work.session, int(work.now)) if initialized else []
    block = None if head is None else head.block_number
    worker = None if context.worker is None else dict(context.worker.health())
    degraded = worker is not None and bool(worker.get("last_error"))
    status: Literal["ok", "degraded", "uninitialized"] = "uninitialized" if not initialized else "degraded" if degraded else "ok"
    return HealthView(status=status, block_number=block, operations_open=waiting, worker=worker, rules_waiting=rules)
