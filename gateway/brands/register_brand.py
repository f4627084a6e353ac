"""Register a brand: its programme here, its id, key, limit and terms on the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.brands.brand import Brand, BrandStatus, check_terms
from gateway.brands.ports import Brands, NewBrand
from gateway.rounds.operation import RegisterBrandOperation
from gateway.rounds.ports import Operations
from gateway.values.errors import WrongState
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
    )
    brands.add(NewBrand(brand, asked.key_address, asked.signer_url, asked.signer_token), operation_id, now)
    operations.accept(_registration(brand, asked.key_address, operation_id), now)
    return brand


def _registration(brand: Brand, key_address: Address, operation_id: OperationId) -> RegisterBrandOperation:
    limit, terms = brand.issue_limit, (brand.par, brand.redemption)
    return RegisterBrandOperation(operation_id, brand.brand_id, brand.name, key_address, 0, OPEN_END, limit, *terms)
