"""Published earning rules; only added to, and confirmed once."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from gateway.loyalty.programmes.ports import PublishedRule
from gateway.loyalty.programmes.tables import EarningRuleRow
from gateway.loyalty.rule import EarningRule
from gateway.store.unit_of_work import UnitOfWork

_ROW = EarningRuleRow
_FIGURES = _ROW.version, _ROW.points, _ROW.per_minor, _ROW.valid_from, _ROW.in_force_from


class SqlRules:
    """Each brand's rules are read once in a unit of work."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session
        self._seen: dict[int, list[EarningRule]] = {}

    def published(self, brand_id: int) -> list[EarningRule]:
        if brand_id not in self._seen:
            rows = self._session.execute(select(*_FIGURES).where(_ROW.brand_id == brand_id).order_by(_ROW.version))
            self._seen[brand_id] = [EarningRule(*row) for row in rows]
        return self._seen[brand_id]

    def told(self, brand_id: int) -> list[PublishedRule]:
        rows = self._session.execute(select(_ROW.version, _ROW.signature).where(_ROW.brand_id == brand_id))
        signatures = {row.version: row.signature for row in rows}
        return [PublishedRule(rule, signatures[rule.version]) for rule in self.published(brand_id)]

    def add(self, brand_id: int, rule: EarningRule, signature: bytes | None, at: int) -> None:
        self._session.execute(
            insert(_ROW).values(
                brand_id=brand_id,
                version=rule.version,
                points=rule.points,
                per_minor=rule.per_minor,
                valid_from=rule.valid_from,
                in_force_from=rule.in_force_from,
                signature=signature,
                created_at=at,
            )
        )
        self._seen.pop(brand_id, None)

    def put_in_force(self, brand_id: int, version: int, in_force_from: int) -> None:
        which = _ROW.brand_id == brand_id, _ROW.version == version
        self._session.execute(update(_ROW).where(*which).values(in_force_from=in_force_from))
        self._seen.pop(brand_id, None)
