"""Register a brand: its programme here, its id, key, limit and terms on the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.brands.brand import Brand, BrandStatus, check_terms
from gateway.brands.ports import Brands, NewBrand
from gateway.ledger.terms import BASIS_POINTS, TERMS_DAYS_MAX, LedgerTerms
from gateway.rounds.brand_operation import RegisterBrandOperation
from gateway.rounds.ports import Operations
from gateway.values.errors import Invalid, WrongState
from gateway.values.ids import Address, OperationId
from gateway.values.money import Ratio
from gateway.values.points import Points

OPEN_END = 2**40 - 1


@dataclass(frozen=True, slots=True)
class BrandRegistration:
    """`brand_id` None = the next free one. `reference_secret` keys the hashes of payment and order ids."""

    brand_id: int | None
    name: str
    key_address: Address
    signer_url: str
    signer_token: str
    reference_secret: bytes
    issue_limit: int
    par: Ratio
    redemption: Ratio
    lot_validity_months: int
    earn_on_tax: bool
    owner_address: Address
    fee_basis_points: int = 0
    run_off_days: int = 90
    notice_days: int = 30
    managed: bool = False
    publisher_address: Address | None = None


def register_brand(asked: BrandRegistration, *, brands: Brands, operations: Operations, operation_id: OperationId, now: int) -> Brand:
    """The brand, `pending` until its registration is on the ledger."""
    brand_id = asked.brand_id or brands.next_id()
    check_terms(brand_id, asked.issue_limit, asked.lot_validity_months)
    if brands.find(brand_id) is not None:
        raise WrongState(f"brand {brand_id} is registered", brand_id=brand_id)
    if brands.named(asked.name):
        raise WrongState(f"a brand named {asked.name} is registered", name=asked.name)
    brand = Brand(
        brand_id,
        asked.name,
        BrandStatus.PENDING,
        asked.reference_secret,
        asked.issue_limit,
        Points(0),
        asked.par,
        asked.redemption,
        asked.lot_validity_months,
        asked.earn_on_tax,
        publisher_address=asked.publisher_address,
    )
    brands.add(NewBrand(brand, asked.key_address, asked.signer_url, asked.signer_token), operation_id, now)
    operations.accept(_registration(brand, asked, operation_id), now)
    return brand


def _registration(brand: Brand, asked: BrandRegistration, operation_id: OperationId) -> RegisterBrandOperation:
    if asked.owner_address == asked.key_address:
        raise Invalid("the owner's key signs no batches: name another account as owner_address", field="owner_address")
    terms = ledger_terms(brand.par, brand.redemption, asked.fee_basis_points, asked.run_off_days, asked.notice_days)
    window = 0, OPEN_END
    return RegisterBrandOperation(
        operation_id, brand.brand_id, brand.name, asked.key_address, *window, brand.issue_limit, terms, asked.owner_address, asked.managed
    )


def ledger_terms(par: Ratio, redemption: Ratio, fee_basis_points: int, run_off_days: int, notice_days: int) -> LedgerTerms:
    """Refuses what the ledger could not hold."""
    if not 0 <= fee_basis_points <= BASIS_POINTS:
        raise Invalid(f"fee_basis_points must be from 0 to {BASIS_POINTS}", field="fee_basis_points")
    for name, days in (("run_off_days", run_off_days), ("notice_days", notice_days)):
        if not 0 <= days <= TERMS_DAYS_MAX:
            raise Invalid(f"{name} must be from 0 to {TERMS_DAYS_MAX}", field=name)
    ratios = par.numerator, par.denominator, redemption.numerator, redemption.denominator
    return LedgerTerms(*ratios, fee_basis_points, run_off_days, notice_days)
