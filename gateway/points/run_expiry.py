"""The expiry run: one operation for each member's unreserved points in each lot that has expired, once a day and brand.

A brand's run goes on by a page once what it accepted has ended, so that its tills find room in every round and a run that is stopped goes
on where it was. What is reserved, and what a run does not come to before its day is over, is the next day's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gateway.coalition.coalition import Coalition
from gateway.points.ports import ExpiredPoints, ExpiryRun, ExpiryRuns, HeldByMembers
from gateway.rounds.operation import ExpireOperation
from gateway.rounds.ports import Operations
from gateway.values import calendar
from gateway.values.ids import OperationId
from gateway.values.points import Points

EXPIRIES_OF_A_BRAND = 100  # at once: a third of what a batch of its has room for
EXPIRIES_AT_ONCE = 1_000  # of all brands, in one unit of work


def run_expiry(
    *,
    coalition: Coalition,
    runs: ExpiryRuns,
    points: HeldByMembers,
    operations: Operations,
    new_id: Callable[[], OperationId],
    now: int,
) -> list[OperationId]:
    """Begins the day's runs or has them go on by a page each; the ids of the operations."""
    day = calendar.local_day(now, coalition.utc_offset_seconds)
    runs.end_before(day, now)
    going_on = runs.to_go_on(day, now)
    most = max(1, min(EXPIRIES_OF_A_BRAND, EXPIRIES_AT_ONCE // max(1, len(going_on))))
    accepted: list[OperationId] = []
    for run in going_on:
        page = points.expired(run, most)
        for each in page:
            line, operation_id = each.line, new_id()
            what = line.expiry_day, Points(line.points), run.day
            operations.accept(ExpireOperation(operation_id, line.brand_id, each.member_id, *what), now)
            accepted.append(operation_id)
        runs.keep(_after(run, page), now if len(page) < most else None)
    return accepted


def _after(run: ExpiryRun, page: Sequence[ExpiredPoints]) -> ExpiryRun:
    if not page:
        return run
    before = set() if run.upto is None else {run.upto[0]}
    more = {each.line.lot_id for each in page} - before
    return replace(run, lots=run.lots + len(more), upto=(page[-1].line.lot_id, page[-1].member_id))
