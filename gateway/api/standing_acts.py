"""What the gateway does by itself once something has come about on the ledger: each is a verb of its feature, asked for by the worker."""

from __future__ import annotations

from functools import cached_property

from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import SqlCoalition
from gateway.points.activity_rows import SqlActivities
from gateway.points.extend_active import extend_active
from gateway.points.import_openings import open_waiting
from gateway.points.opening import WaitingLine
from gateway.points.opening_rows import SqlOpenings
from gateway.points.rows import SqlPoints
from gateway.purchases.carried import SqlCarriedClawbacks
from gateway.purchases.carry_clawbacks import carry_clawbacks
from gateway.purchases.ports import OpenShortfall
from gateway.rounds.rows import SqlOperations
from gateway.store.unit_of_work import UnitOfWork, new_operation_id


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
        return [brand.brand_id for brand in self._work.of(SqlBrands).all() if brand.extends_by_activity]


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
        carrying = [brand.brand_id for brand in self._work.of(SqlBrands).all() if brand.carries_clawbacks]
        return self._work.of(SqlCarriedClawbacks).open_shortfalls(carrying)


STANDING_ACTS = (WaitingOpenings, ExtensionsByActivity, CarriedShortfalls)
