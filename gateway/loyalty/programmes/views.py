"""A brand as its partners read of it: terms, points and keys as the ledger has them, and the rules it has published."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.brands.brand import Brand
from gateway.brands.ports import Brands
from gateway.loyalty.programmes.ports import Rules
from gateway.loyalty.programmes.rule_views import RuleView, rule_views
from gateway.projection.tables import LedgerBrandKeyRow, LedgerBrandRow, LedgerBrandTermsRow, LedgerLotRow
from gateway.values.errors import NotFound
from gateway.values.money import Ratio


@dataclass(frozen=True, slots=True)
class RatioView:
    """Minor units per point: numerator / denominator."""

    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class BrandKeyView:
    """A batch key and its window in Unix seconds (from <= t < until); `managed`: the operator keeps it on the brand's behalf."""

    key_address: str
    valid_from: int
    valid_until: int
    managed: bool


@dataclass(frozen=True, slots=True)
class TermsView:
    """A version of the terms; it holds from `valid_from` (Unix seconds) on, until a later one does."""

    number: int
    par: RatioView
    redemption: RatioView
    fee_basis_points: int
    run_off_days: int
    notice_days: int
    valid_from: int


@dataclass(frozen=True, slots=True)
class BrandPoints:
    """Totals since the beginning; outstanding = issued + opened + refunded - redeemed - clawed_back - expired."""

    issued: int
    opened: int
    redeemed: int
    refunded: int
    clawed_back: int  # less what was restored
    expired: int
    outstanding: int


@dataclass(frozen=True, slots=True)
class BrandView:
    """`owner_acts` is the nonce of the owner's next act; `last_day` (days since 1970) that of a run-off, 0 without one. `held_terms`
    hold now, `announced_terms` from their day on. `publisher_address` signs its rules, where any key does. `managed`: the operator holds
    a batch key of the brand's that is in force, and can issue in its name up to its limit."""

    brand_id: int
    name: str
    status: str
    issue_limit: int
    par: RatioView
    redemption: RatioView
    lot_validity_months: int
    earn_on_tax: bool
    extends_by_activity: bool
    carries_clawbacks: bool
    points: BrandPoints
    rules: list[RuleView]
    keys: list[BrandKeyView]
    operation_id: str
    owner_address: str | None
    owner_acts: int
    last_day: int
    held_terms: TermsView | None
    announced_terms: TermsView | None
    publisher_address: str | None
    managed: bool


def managed_brands(session: Session, now: int) -> frozenset[int]:
    """Those for which the operator holds a batch key that is in force."""
    keys = LedgerBrandKeyRow
    in_force = keys.managed.is_(True), keys.valid_from <= now, keys.valid_until > now
    return frozenset(session.scalars(select(keys.brand_id).where(*in_force)))


def find_brand(session: Session, brand_id: int, *, brands: Brands, rules: Rules, now: int) -> BrandView:
    """Refuses a brand that is not there."""
    brand = brands.find(brand_id)
    if brand is None:
        raise NotFound(f"there is no brand {brand_id}", brand_id=brand_id)
    return _view(session, brand, brands, rules, now)


def list_brands(session: Session, *, brands: Brands, rules: Rules, now: int) -> list[BrandView]:
    """All brands, by id."""
    return [_view(session, brand, brands, rules, now) for brand in brands.all()]


def _view(session: Session, brand: Brand, brands: Brands, rules: Rules, now: int) -> BrandView:
    keys = session.scalars(
        select(LedgerBrandKeyRow).where(LedgerBrandKeyRow.brand_id == brand.brand_id).order_by(LedgerBrandKeyRow.key_address)
    ).all()
    ledger, terms = session.get(LedgerBrandRow, brand.brand_id), LedgerBrandTermsRow
    versions = session.scalars(select(terms).where(terms.brand_id == brand.brand_id).order_by(terms.number)).all()
    return BrandView(
        brand.brand_id,
        brand.name,
        brand.status.value,
        brand.issue_limit,
        _ratio(brand.par),
        _ratio(brand.redemption),
        brand.lot_validity_months,
        brand.earn_on_tax,
        brand.extends_by_activity,
        brand.carries_clawbacks,
        _points(session, brand),
        rule_views(brand.brand_id, rules.told(brand.brand_id), int(now)),
        [BrandKeyView(str(key.key_address), key.valid_from, key.valid_until, key.managed) for key in keys],
        brands.operation_of(brand.brand_id),
        None if ledger is None or ledger.owner_address is None else str(ledger.owner_address),
        0 if ledger is None else ledger.owner_acts,
        0 if ledger is None else ledger.last_day,
        next((_terms(each) for each in reversed(versions) if each.valid_from <= now), None),
        next((_terms(each) for each in versions if each.valid_from > now), None),
        None if brand.publisher_address is None else str(brand.publisher_address),
        any(key.managed and key.valid_from <= now < key.valid_until for key in keys),
    )


def _terms(row: LedgerBrandTermsRow) -> TermsView:
    par, redemption = RatioView(row.par_numerator, row.par_denominator), RatioView(row.redemption_numerator, row.redemption_denominator)
    return TermsView(row.number, par, redemption, row.fee_basis_points, row.run_off_days, row.notice_days, row.valid_from)


def _points(session: Session, brand: Brand) -> BrandPoints:
    lot = LedgerLotRow
    columns = (lot.issued, lot.opened, lot.redeemed, lot.refunded, lot.clawed_back - lot.restored, lot.expired)
    sums = session.execute(select(*(func.coalesce(func.sum(column), 0) for column in columns)).where(lot.brand_id == brand.brand_id)).one()
    issued, opened, redeemed, refunded, clawed_back, expired = (int(figure) for figure in sums)
    return BrandPoints(issued, opened, redeemed, refunded, clawed_back, expired, brand.outstanding)


def _ratio(ratio: Ratio) -> RatioView:
    return RatioView(ratio.numerator, ratio.denominator)
