"""Expiry runs as they stand, and which brands have one due."""

from __future__ import annotations

from sqlalchemy import or_, select, update

from gateway.points.ports import ExpiryRun
from gateway.points.rows import expired_lots
from gateway.points.tables import ExpiryRunRow
from gateway.projection.tables import LedgerBrandRow, LedgerLotRow
from gateway.rounds.operation import OperationKind
from gateway.rounds.tables import IS_OPEN, OperationRow
from gateway.store.unit_of_work import UnitOfWork
from gateway.store.upsert import set_rows

_run = ExpiryRunRow


class SqlExpiryRuns:
    """A run is due where a brand has points in expired lots; the ledger lets those of a brand in default alone."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def is_through(self, day: int, brand_id: int | None = None) -> bool:
        """No run of this day or an earlier one, of the brand or of any, goes on or is still to begin."""
        unfinished = [brand for brand, _ in self._unfinished(day) if brand_id in (None, brand)]
        return not unfinished and not self._of_earlier(day)

    def is_due(self, day: int, at: int) -> bool:
        """Something can be done now."""
        return self._of_earlier(day) or bool(self.to_go_on(day, at))

    def end_before(self, day: int, at: int) -> None:
        self._session.execute(update(_run).where(_run.accepted_at.is_(None), _run.day < day).values(accepted_at=at))

    def to_go_on(self, day: int, at: int) -> list[ExpiryRun]:
        unfinished = self._unfinished(day)
        if not unfinished:
            return []
        expiring = select(OperationRow.brand_id).where(IS_OPEN, OperationRow.kind == OperationKind.EXPIRE.value).distinct()
        waiting = set(self._session.scalars(expiring))
        return [_stands(brand_id, day, row, at) for brand_id, row in unfinished if brand_id not in waiting]

    def keep(self, run: ExpiryRun, accepted_at: int | None) -> None:
        lot, member = run.upto or (None, None)
        how_far = {"lots": run.lots, "upto_lot": lot, "upto_member": member}
        row = {"brand_id": run.brand_id, "day": run.day, **how_far, "started_at": run.started_at, "accepted_at": accepted_at}
        set_rows(self._session, ExpiryRunRow, [row])

    def _unfinished(self, day: int) -> list[tuple[int, ExpiryRunRow | None]]:
        """Brands with a run that is to begin (no row) or to go on."""
        brand = LedgerBrandRow
        there = select(LedgerLotRow.brand_id).where(*expired_lots(day))
        rows = self._session.execute(
            select(brand.brand_id, _run)
            .outerjoin(_run, (_run.brand_id == brand.brand_id) & (_run.day == day))
            .where(_run.accepted_at.is_(None), or_(_run.day.is_not(None), brand.brand_id.in_(there) & (brand.status != "in_default")))
            .order_by(brand.brand_id)
        )
        return [(brand_id, row) for brand_id, row in rows]

    def _of_earlier(self, day: int) -> bool:
        return self._session.scalar(select(_run.day).where(_run.accepted_at.is_(None), _run.day < day).limit(1)) is not None


def _stands(brand_id: int, day: int, row: ExpiryRunRow | None, at: int) -> ExpiryRun:
    if row is None:
        return ExpiryRun(brand_id, day, at)
    upto = None if row.upto_lot is None or row.upto_member is None else (row.upto_lot, row.upto_member)
    return ExpiryRun(brand_id, day, row.started_at, row.lots, upto)
