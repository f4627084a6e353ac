"""Brands: the gateway's own row joined with what the ledger says of status, limit, outstanding points and terms."""

from __future__ import annotations

from sqlalchemy import insert, select

from gateway.brands.brand import Brand, BrandStatus
from gateway.brands.ports import NewBrand
from gateway.brands.tables import BrandRow
from gateway.projection.tables import LedgerBrandRow
from gateway.store.counters import next_number, note_given
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.ids import OperationId
from gateway.values.money import Ratio
from gateway.values.points import Points

_BRAND_COUNTER = "brand"


class SqlBrands:
    """Each brand is read once in a unit of work."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session
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

    def names(self) -> dict[int, str]:
        return {row.brand_id: row.name for row in self._session.execute(select(BrandRow.brand_id, BrandRow.name))}

    def operation_of(self, brand_id: int) -> OperationId:
        """The operation that registers the brand."""
        return OperationId(self._session.scalars(select(BrandRow.operation_id).where(BrandRow.brand_id == brand_id)).one())

    def named(self, name: str) -> bool:
        return self._session.scalar(select(BrandRow.brand_id).where(BrandRow.name == name)) is not None

    def next_id(self) -> int:
        return next_number(self._session, _BRAND_COUNTER)

    def add(self, new: NewBrand, operation_id: OperationId, at: int) -> None:
        brand = new.brand
        note_given(self._session, {_BRAND_COUNTER: brand.brand_id})
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


def _brand(row: BrandRow, ledger: LedgerBrandRow | None) -> Brand:
    on_ledger = ledger is not None and ledger.par_denominator > 0 and ledger.redemption_denominator > 0
    terms = ledger if ledger is not None and on_ledger else row
    return Brand(
        row.brand_id,
        row.name,
        BrandStatus(ledger.status) if ledger is not None else BrandStatus.PENDING,
        row.reference_secret,
        ledger.issue_limit if ledger is not None else row.issue_limit,
        Points(ledger.outstanding if ledger is not None else 0),
        Ratio(terms.par_numerator, terms.par_denominator),
        Ratio(terms.redemption_numerator, terms.redemption_denominator),
        row.lot_validity_months,
        row.earn_on_tax,
    )
