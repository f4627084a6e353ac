"""Register a brand: its programme here, its id, key, limit and terms on the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.brands.brand import Brand, BrandStatus, check_terms
from gateway.brands.ports import Brands, NewBrand
from gateway.rounds.operation import NewOperation, OperationKind
from gateway.rounds.ports import Operations
from gateway.values.errors import WrongState
from gateway.values.money import Ratio

OPEN_END = 2**40 - 1


@dataclass(frozen=True, slots=True)
class BrandRegistration:
    """`brand_id` None = the next free one. `key_address` is hex; `reference_secret` keys the hashes of payment and order ids."""

    brand_id: int | None
    name: str
    key_address: str
    signer_url: str
    signer_token: str
    reference_secret: bytes
    issue_limit: int
    par: Ratio
    redemption: Ratio
    lot_validity_months: int
    earn_on_tax: bool


def register_brand(asked: BrandRegistration, *, brands: Brands, operations: Operations, operation_id: str, now: int) -> Brand:
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
        0,
        asked.par,
        asked.redemption,
        asked.lot_validity_months,
        asked.earn_on_tax,
    )
    brands.add(NewBrand(brand, asked.key_address, asked.signer_url, asked.signer_token), operation_id, now)
    operations.accept(_registration(brand, asked.key_address, operation_id), now)
    return brand


def _registration(brand: Brand, key_address: str, operation_id: str) -> NewOperation:
    body = {
        "brand_id": brand.brand_id,
        "name": brand.name,
        "key_address": key_address,
        "key_valid_from": 0,
        "key_valid_until": OPEN_END,
        "issue_limit": brand.issue_limit,
        **terms_body(brand.par, brand.redemption),
    }
    return NewOperation(operation_id, OperationKind.REGISTER_BRAND, body, brand_id=brand.brand_id)


def terms_body(par: Ratio, redemption: Ratio) -> dict[str, int]:
    """The ratios as an operation's body carries them."""
    return {
        "par_numerator": par.numerator,
        "par_denominator": par.denominator,
        "redemption_numerator": redemption.numerator,
        "redemption_denominator": redemption.denominator,
    }
