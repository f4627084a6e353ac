"""How expiry runs stand: how many lots, and what became of the operations and their points. The newest day first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from gateway.points.tables import ExpiryRunRow
from gateway.projection.tables import LedgerEntryRow
from gateway.rounds.operation import ExpireOperation
from gateway.rounds.operation_codec import operation_of
from gateway.rounds.tables import BatchRow, OperationRow
from gateway.store.pages import cursor_after, position_of
from gateway.values.calendar import day_text, expiry_date, moment, moment_or_none
from gateway.values.errors import NotFound


@dataclass(frozen=True, slots=True)
class ExpirySums:
    """Of the operations in one state: one is one member's points in one lot."""

    operations: int
    points: int


@dataclass(frozen=True, slots=True)
class ExpiryRunView:
    """A brand's run of a day of the coalition's calendar. `confirmed`: what has expired on the ledger; `waiting`: accepted or packed;
    `reasons`: why operations were refused, or wait, and how many. `finished_at` is null while the run goes on."""

    brand_id: int
    day: str
    lots: int
    confirmed: ExpirySums
    refused: ExpirySums
    waiting: ExpirySums
    reasons: dict[str, int]
    started_at: str
    finished_at: str | None


@dataclass(frozen=True, slots=True)
class ExpiryRunList:
    expiry_runs: list[ExpiryRunView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ExpiryLineView:
    """An operation of a run, with the points that it was accepted for."""

    operation_id: str
    member_id: str
    expiry_date: str | None
    points: int
    status: str
    reason: str | None


def list_expiry_runs(session: Session, brand_id: int | None, cursor: str | None, limit: int) -> ExpiryRunList:
    """Newest day first; `brand_id` None = of every brand."""
    row = ExpiryRunRow
    query = select(row).order_by(row.day.desc(), row.brand_id.desc()).limit(limit + 1)
    if brand_id is not None:
        query = query.where(row.brand_id == brand_id)
    if (before := position_of(cursor)) is not None:
        query = query.where(tuple_(row.day, row.brand_id) < tuple_(before >> 32, before & 0xFFFFFFFF))
    rows = session.scalars(query).all()
    shown = rows[:limit]
    return ExpiryRunList(_views(session, shown), cursor_after(shown[-1].day << 32 | shown[-1].brand_id) if len(rows) > limit else None)


def find_expiry_run(session: Session, brand_id: int, day: int) -> ExpiryRunView:
    """Refuses a run that is not there."""
    row = session.get(ExpiryRunRow, (brand_id, day))
    if row is None:
        raise NotFound(f"brand {brand_id} has no expiry run of {day_text(day)}", brand_id=brand_id, day=day_text(day))
    return _views(session, [row])[0]


def expiry_lines(session: Session, brand_id: int, day: int) -> list[ExpiryLineView]:
    """The operations of a run, in their sequence."""
    row = OperationRow
    rows = session.scalars(select(row).where(row.brand_id == brand_id, row.run_day == day).order_by(row.sequence))
    return [_line(row) for row in rows]


def _line(row: OperationRow) -> ExpiryLineView:
    operation = operation_of(row)
    assert isinstance(operation, ExpireOperation), "nothing else is of a run"
    day = expiry_date(operation.expiry_day)
    return ExpiryLineView(row.operation_id, str(operation.member_id), day, row.points, row.status, row.reason)


def _views(session: Session, runs: Sequence[ExpiryRunRow]) -> list[ExpiryRunView]:
    """The ledger says how many points expired: what was reserved when an expiry was accepted may be free when it is packed."""
    row, entry = OperationRow, LedgerEntryRow
    in_entry = (entry.brand_id == BatchRow.brand_id) & (entry.batch_number == BatchRow.number) & (entry.entry_index == row.entry_index)
    points = func.sum(func.coalesce(entry.points, row.points))
    what = row.brand_id, row.run_day, row.status, row.reason
    found = session.execute(
        select(*what, func.count(), points, func.max(row.finished_at))
        .outerjoin(BatchRow, (BatchRow.batch_id == row.batch_id) & (row.status == "confirmed"))
        .outerjoin(entry, in_entry)
        .where(tuple_(row.brand_id, row.run_day).in_([(run.brand_id, run.day) for run in runs]))
        .group_by(*what)
    )
    standing = {(run.brand_id, run.day): _Standing(run) for run in runs}
    for brand_id, day, status, reason, count, expired, finished_at in found:
        assert brand_id is not None
        assert day is not None
        standing[brand_id, day].add(status, reason, count, int(expired), finished_at)
    return [one.view() for one in standing.values()]


class _Standing:
    def __init__(self, run: ExpiryRunRow) -> None:
        self._run = run
        self._sums = dict.fromkeys(("confirmed", "refused", "waiting"), (0, 0))
        self._reasons: dict[str, int] = {}
        self._last = run.accepted_at

    def add(self, status: str, reason: str | None, count: int, points: int, finished_at: int | None) -> None:
        state = status if status in ("confirmed", "refused") else "waiting"
        before = self._sums[state]
        self._sums[state] = before[0] + count, before[1] + points
        if reason is not None:
            self._reasons[reason] = self._reasons.get(reason, 0) + count
        if self._last is not None:
            self._last = None if finished_at is None else max(self._last, finished_at)

    def view(self) -> ExpiryRunView:
        run = self._run
        sums = {state: ExpirySums(*sum_) for state, sum_ in self._sums.items()}
        times = moment(run.started_at), moment_or_none(self._last)
        return ExpiryRunView(
            run.brand_id, day_text(run.day), run.lots, **sums, reasons=self._reasons, started_at=times[0], finished_at=times[1]
        )
