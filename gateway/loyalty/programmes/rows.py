"""Published earning rules; never changed, only added to."""

from __future__ import annotations

from sqlalchemy import insert, select

from gateway.loyalty.programmes.tables import EarningRuleRow
from gateway.loyalty.rule import EarningRule
from gateway.store.unit_of_work import UnitOfWork


class SqlRules:
    """Published earning rules; never changed, only added to."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session
        self._seen: dict[int, list[EarningRule]] = {}

    def published(self, brand_id: int) -> list[EarningRule]:
        if brand_id not in self._seen:
            rows = self._session.execute(
                select(EarningRuleRow.version, EarningRuleRow.points, EarningRuleRow.per_minor, EarningRuleRow.valid_from)
                .where(EarningRuleRow.brand_id == brand_id)
                .order_by(EarningRuleRow.version)
            )
            self._seen[brand_id] = [EarningRule(*row) for row in rows]
        return self._seen[brand_id]

    def add(self, brand_id: int, rule: EarningRule, at: int) -> None:
        self._session.execute(
            insert(EarningRuleRow).values(
                brand_id=brand_id,
                version=rule.version,
                points=rule.points,
                per_minor=rule.per_minor,
                valid_from=rule.valid_from,
                created_at=at,
            )
        )
        self._seen.pop(brand_id, None)
