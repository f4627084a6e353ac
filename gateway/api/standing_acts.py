"""What the gateway does by itself once something has come about on the ledger: each is a verb of its feature, asked for by the worker."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import SqlCoalition
from gateway.points.activity_rows import SqlActivities
from gateway.points.expiry_rows import SqlExpiryRuns
from gateway.points.extend_active import extend_active
from gateway.points.import_openings import open_waiting
from gateway.points.opening import WaitingLine
from gateway.points.opening_rows import SqlOpenings
from gateway.points.rows import SqlPoints
from gateway.points.run_expiry import run_expiry
from gateway.purchases.carried import SqlCarriedClawbacks
from gateway.purchases.carry_clawbacks import carry_clawbacks
from gateway.purchases.ports import OpenShortfall
from gateway.rounds.ports import StandingAct
from gateway.rounds.rows import SqlOperations
from gateway.store.unit_of_work import UnitOfWork, new_operation_id
from gateway.values.calendar import local_day
from gateway.values.ids import OperationId


class WaitingOpenings:
    """Balances of an earlier programme whose members have enrolled."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    def is_due(self) -> bool:
        return bool(self._ready)

    def accept(self) -> None:
        work = self._work
        open_waiting(
            self._ready,
            brands=work.of(SqlBrands),
            openings=work.of(SqlOpenings),
            operations=work.of(SqlOperations),
            new_id=new_operation_id,
            now=work.now,
        )

    @cached_property
    def _ready(self) -> list[WaitingLine]:
        return self._work.of(SqlOpenings).ready()


class ExtensionsByActivity:
    """Points that activity keeps alive, at brands that promise it."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    def is_due(self) -> bool:
        return self._work.of(SqlActivities).are_due(self._extending)

    def accept(self) -> None:
        work = self._work
        extend_active(
            work.of(SqlActivities).take(self._extending),
            brands=work.of(SqlBrands),
            coalition=work.of(SqlCoalition).facts,
            points=work.of(SqlPoints),
            operations=work.of(SqlOperations),
            new_id=new_operation_id,
            now=work.now,
        )

    @cached_property
    def _extending(self) -> list[int]:
        return self._work.of(SqlBrands).extending()


class CarriedShortfalls:
    """What clawbacks fell short of, at issuers that carry it."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    def is_due(self) -> bool:
        return bool(self._open)

    def accept(self) -> None:
        work = self._work
        carry_clawbacks(
            self._open,
            brands=work.of(SqlBrands),
            carried=work.of(SqlCarriedClawbacks),
            operations=work.of(SqlOperations),
            new_id=new_operation_id,
            now=work.now,
        )

    @cached_property
    def _open(self) -> list[OpenShortfall]:
        return self._work.of(SqlCarriedClawbacks).open_shortfalls(self._work.of(SqlBrands).carrying())


class DailyExpiry:
    """The expiry runs of the day. Remembers the day on which nothing is left to do, so that a look costs nothing."""

    def __init__(self) -> None:
        self.through_on: int | None = None

    def __call__(self, work: UnitOfWork) -> ExpiryRunsOfTheDay:
        return ExpiryRunsOfTheDay(work, self)


class ExpiryRunsOfTheDay:
    """What expired points are due today, and go on a page after the other."""

    def __init__(self, work: UnitOfWork, daily: DailyExpiry) -> None:
        self._work = work
        self._daily = daily

    def is_due(self) -> bool:
        work = self._work
        day = local_day(work.now, work.of(SqlCoalition).facts.utc_offset_seconds)
        if self._daily.through_on == day:
            return False
        runs = work.of(SqlExpiryRuns)
        if runs.is_through(day):
            self._daily.through_on = day
            return False
        return runs.is_due(day, work.now)

    def accept(self) -> None:
        accept_expiry(self._work)


def accept_expiry(work: UnitOfWork) -> list[OperationId]:
    """A page more of the day's expiry runs."""
    return run_expiry(
        coalition=work.of(SqlCoalition).facts,
        runs=work.of(SqlExpiryRuns),
        points=work.of(SqlPoints),
        operations=work.of(SqlOperations),
        new_id=new_operation_id,
        now=work.now,
    )


def standing_acts() -> tuple[Callable[[UnitOfWork], StandingAct], ...]:
    """A worker's own: they may remember what they have seen."""
    return WaitingOpenings, ExtensionsByActivity, CarriedShortfalls, DailyExpiry()
