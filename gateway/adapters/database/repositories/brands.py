"""Brands: the gateway's own row joined with what the ledger says of status, limit, outstanding points and terms."""

from __future__ import annotations

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from gateway.adapters.database.tables_coalition import BrandRow, EarningRuleRow
from gateway.adapters.database.tables_projection import LedgerBrandRow
from gateway.domain.brand import Brand, BrandStatus
from gateway.domain.money import Ratio
from gateway.domain.rules import EarningRule
from gateway.operations.ports import NewBrand


class SqlBrands:
    """Each brand is read once in a unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._seen: dict[int, Brand] = {}

    def find(self, brand_id: int) -> Brand | None:
        if brand_id not in self._seen:
            found = self._session.execute(
                select(BrandRow, LedgerBrandRow)
                .outerjoin(LedgerBrandRow, LedgerBrandRow.brand_id == BrandRow.brand_id)
                .where(BrandRow.brand_id == brand_id)
            ).one_or_none()
            if found is None:
                return None
            self._seen[brand_id] = _brand(found[0], found[1])
        return self._seen[brand_id]

    def all(self) -> list[Brand]:
        found = self._session.execute(
            select(BrandRow, LedgerBrandRow)
            .outerjoin(LedgerBrandRow, LedgerBrandRow.brand_id == BrandRow.brand_id)
            .order_by(BrandRow.brand_id)
        )
        return [_brand(row, ledger) for row, ledger in found]

    def named(self, name: str) -> bool:
        return self._session.scalar(select(BrandRow.brand_id).where(BrandRow.name == name)) is not None

    def next_id(self) -> int:
        return (self._session.scalar(select(func.max(BrandRow.brand_id))) or 0) + 1

    def add(self, new: NewBrand, operation_id: str, at: int) -> None:
        brand = new.brand
        self._session.execute(
            insert(BrandRow).values(
                brand_id=brand.brand_id,
                name=brand.name,
                reference_secret=brand.reference_secret,
                signer_url=new.signer_url,
                signer_token=new.signer_token,
                key_address=new.key_address,
                issue_limit=brand.issue_limit,
                par_numerator=brand.par.numerator,
                par_denominator=brand.par.denominator,
                redemption_numerator=brand.redemption.numerator,
                redemption_denominator=brand.redemption.denominator,
                lot_validity_months=brand.lot_validity_months,
                earn_on_tax=brand.earn_on_tax,
                operation_id=operation_id,
                created_at=at,
            )
        )


class SqlRules:
    """Published earning rules; never changed, only added to."""

    def __init__(self, session: Session) -> None:
        self._session = session
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


def _brand(row: BrandRow, ledger: LedgerBrandRow | None) -> Brand:
    on_ledger = ledger is not None and ledger.par_denominator > 0 and ledger.redemption_denominator > 0
    terms = ledger if ledger is not None and on_ledger else row
    return Brand(
        row.brand_id,
        row.name,
        BrandStatus(ledger.status) if ledger is not None else BrandStatus.PENDING,
        row.reference_secret,
        ledger.issue_limit if ledger is not None else row.issue_limit,
        ledger.outstanding if ledger is not None else 0,
        Ratio(terms.par_numerator, terms.par_denominator),
        Ratio(terms.redemption_numerator, terms.redemption_denominator),
        row.lot_validity_months,
        row.earn_on_tax,
    )
