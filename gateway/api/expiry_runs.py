"""Expiry runs: what a day let expire, brand by brand. The worker runs them by itself; the operator may ask not to wait for it."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel

from gateway.access.rows import SqlBulkResults, SqlPrivilegedActions
from gateway.api.context import ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsOperator, AsReader, check_reads_brand
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import Body, BrandIdPath, Cursor, Date, Limit
from gateway.api.standing_acts import accept_expiry
from gateway.coalition.rows import SqlCoalition
from gateway.points.expiry_rows import SqlExpiryRuns
from gateway.points.expiry_views import ExpiryRunView, find_expiry_run, list_expiry_runs
from gateway.rounds.views import OperationView, find_operations
from gateway.store.unit_of_work import UnitOfWork, new_id
from gateway.values.calendar import day_number, day_text, local_day

router = Router(prefix="/v1/expiry-runs", tags=["operations"])
DayPath = Annotated[Date, Path(description="A day of the coalition's calendar, e.g. 2017-04-01")]


class ExpiryRunBody(Body):
    """Nothing to say: the run expires what has expired by now."""


class ExpiryRunsPage(BaseModel):
    """`day` is the coalition's day, `is_through` that no run of it is still to begin or to go on."""

    day: str
    is_through: bool
    expiry_runs: list[ExpiryRunView]
    next_cursor: str | None


class AcceptedExpiries(BaseModel):
    """What this call has accepted; the rest follows by itself."""

    run_id: str
    points: int
    operations: list[OperationView]


@router.post("", status_code=201, responses={202: {"model": AcceptedExpiries}, **WRITES})
def create_expiry_run(body: ExpiryRunBody, caller: AsOperator, write: WriteNeeded) -> AcceptedExpiries:
    """Begins the day's runs, or has them go on, without waiting for the worker: at most 1,000 operations, 100 a brand. A brand has one run
    a day, and no point expires twice. Reserved points stay until their reservation ends; the next day's run takes them."""

    def act(work: UnitOfWork) -> str:
        accepted = accept_expiry(work)
        run_id = new_id()
        work.of(SqlBulkResults).add(run_id, "expiry_run", json.dumps(accepted), work.now)
        subject = f"expiry-run:{run_id}"
        work.of(SqlPrivilegedActions).record(
            work.now, f"{caller.principal}/{caller.key_id}", "run_expiry", subject, f"{len(accepted)} operations"
        )
        return run_id

    run_id = write.once(caller, "expiry_run", body.content(), act)
    with write.context.reading() as work:
        operation_ids: list[str] = json.loads(work.of(SqlBulkResults).find(run_id) or "[]")
    write.await_ledger(operation_ids, one=False)
    with write.context.reading() as work:
        found = find_operations(work.session, operation_ids)
    operations = [found[operation_id] for operation_id in operation_ids]
    return AcceptedExpiries(run_id=run_id, points=sum(one.points for one in operations), operations=operations)


@router.get("", responses=READS)
def get_expiry_runs(caller: AsReader, context: ContextNeeded, cursor: Cursor = None, limit: Limit = 50) -> ExpiryRunsPage:
    """The newest day first; a brand sees its own."""
    with context.reading() as work:
        today = local_day(work.now, work.of(SqlCoalition).facts.utc_offset_seconds)
        found = list_expiry_runs(work.session, caller.brand_id, cursor, limit)
        is_through = work.of(SqlExpiryRuns).is_through(today, caller.brand_id)
    return ExpiryRunsPage(day=day_text(today), is_through=is_through, expiry_runs=found.expiry_runs, next_cursor=found.next_cursor)


@router.get("/{brand_id}/{day}", responses=READS)
def get_expiry_run(brand_id: BrandIdPath, day: DayPath, caller: AsReader, context: ContextNeeded) -> ExpiryRunView:
    """A brand's run of a day: how many lots and points have expired, and what became of its operations."""
    check_reads_brand(caller, brand_id)
    with context.reading() as work:
        return find_expiry_run(work.session, brand_id, day_number(day))
