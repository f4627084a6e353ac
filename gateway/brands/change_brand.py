"""Change what the ledger holds of a brand: the owner signs terms, keys, exposure and handing it over; the rest are acts of governance."""

from __future__ import annotations

from gateway.brands.brand import MAX_ISSUE_LIMIT, Brand, BrandStatus, check_on_ledger
from gateway.brands.register_brand import OPEN_END
from gateway.ledger.brand_states import BrandState
from gateway.ledger.governing import GoverningOperation, HandBrandOverOperation, SetBrandOwnerOperation, StartRunOffOperation
from gateway.ledger.terms import LedgerTerms
from gateway.rounds.brand_operation import (
    BrandOperation,
    SetBrandKeyOperation,
    SetBrandLimitOperation,
    SetBrandStatusOperation,
    SetBrandTermsOperation,
    SetExposureOperation,
)
from gateway.rounds.operation import OwnerSignature
from gateway.rounds.ports import Operations
from gateway.values.errors import Invalid
from gateway.values.ids import Address, OperationId

_SETTABLE = {
    BrandStatus.ACTIVE: BrandState.ACTIVE,
    BrandStatus.SUSPENDED: BrandState.SUSPENDED,
    BrandStatus.IN_DEFAULT: BrandState.IN_DEFAULT,
}


def set_brand_terms(
    brand: Brand, terms: LedgerTerms, signed: OwnerSignature, *, operations: Operations, operation_id: OperationId, now: int
) -> None:
    """What the brand's owner signed: what is no worse holds from the block it is written in, the rest after the notice."""
    _change(brand, SetBrandTermsOperation(operation_id, brand.brand_id, terms, signed), operations, now)


def set_brand_limit(brand: Brand, issue_limit: int, *, operations: Operations, operation_id: OperationId, now: int) -> None:
    """A limit below what is outstanding takes nothing away; it stops further issues."""
    if not 0 <= issue_limit <= MAX_ISSUE_LIMIT:
        raise Invalid(f"issue_limit must be from 0 to {MAX_ISSUE_LIMIT}", field="issue_limit")
    _change(brand, SetBrandLimitOperation(operation_id, brand.brand_id, issue_limit), operations, now)


def set_brand_status(brand: Brand, status: BrandStatus, *, operations: Operations, operation_id: OperationId, now: int) -> None:
    """Suspend, take up again, or say that it pays nobody any more. A brand closes by running off alone."""
    if status not in _SETTABLE:
        raise Invalid("status must be active, suspended or in_default", field="status")
    _change(brand, SetBrandStatusOperation(operation_id, brand.brand_id, _SETTABLE[status]), operations, now)


def set_brand_key(
    brand: Brand,
    key_address: Address,
    valid_from: int,
    valid_until: int | None,
    signed: OwnerSignature,
    *,
    operations: Operations,
    operation_id: OperationId,
    now: int,
    managed: bool = False,
) -> None:
    """What the brand's owner signed: a key signs from `valid_from` until just before `valid_until`; an end in the past withdraws it."""
    end = OPEN_END if valid_until is None else valid_until
    if not 0 <= valid_from <= OPEN_END or not 0 <= end <= OPEN_END:
        raise Invalid("valid_from and valid_until are Unix seconds", field="valid_until")
    _change(brand, SetBrandKeyOperation(operation_id, brand.brand_id, key_address, valid_from, end, signed, managed), operations, now)


def set_exposure(
    brand: Brand, issuer_id: int, most: int, signed: OwnerSignature, *, operations: Operations, operation_id: OperationId, now: int
) -> None:
    """What the brand's owner signed: how many of the issuer's points it lets itself be owed. It may be a brand that is still to come."""
    if issuer_id == brand.brand_id:
        raise Invalid("a brand is owed nothing by itself", field="issuer_id")
    if not 0 <= most <= MAX_ISSUE_LIMIT:
        raise Invalid(f"most must be from 0 to {MAX_ISSUE_LIMIT}", field="most")
    _change(brand, SetExposureOperation(operation_id, brand.brand_id, issuer_id, most, signed), operations, now)


def hand_brand_over(
    brand: Brand,
    owner: Address,
    issues_no_more: bool,
    signed: OwnerSignature,
    accepted: bytes,
    *,
    operations: Operations,
    operation_id: OperationId,
    now: int,
) -> None:
    """What both owners signed."""
    _change(brand, HandBrandOverOperation(operation_id, brand.brand_id, owner, issues_no_more, signed, accepted), operations, now)


def start_run_off(brand: Brand, last_day: int, *, operations: Operations, operation_id: OperationId, now: int) -> None:
    """It issues no more, and its points are accepted until the local day has ended. The ledger refuses less than its terms promise."""
    if not 1 <= last_day < 2**24:
        raise Invalid("last_day must be a date from 1970-01-02 on", field="last_day")
    _change(brand, StartRunOffOperation(operation_id, brand.brand_id, last_day), operations, now)


def set_brand_owner(brand: Brand, owner: Address, *, operations: Operations, operation_id: OperationId, now: int) -> None:
    """Recovery without the old owner, who can veto it: the brand goes on issuing, as after no succession."""
    _change(brand, SetBrandOwnerOperation(operation_id, brand.brand_id, owner), operations, now)


def _change(brand: Brand, change: BrandOperation | GoverningOperation, operations: Operations, now: int) -> None:
    check_on_ledger(brand)
    operations.accept(change, now)
