"""Change what the ledger holds of a brand: its terms, limit, status or signing keys. Each is an operation of the operator."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.brands.brand import MAX_ISSUE_LIMIT, Brand, BrandStatus, check_on_ledger
from gateway.brands.register_brand import OPEN_END, terms_body
from gateway.rounds.operation import NewOperation, OperationKind
from gateway.rounds.ports import Operations
from gateway.values.errors import Invalid, WrongState
from gateway.values.money import Ratio


def set_brand_terms(brand: Brand, par: Ratio, redemption: Ratio, *, operations: Operations, operation_id: str, now: int) -> None:
    """New integer ratios from the block they are written in."""
    _change(brand, OperationKind.SET_BRAND_TERMS, terms_body(par, redemption), operations, operation_id, now)


def set_brand_limit(brand: Brand, issue_limit: int, *, operations: Operations, operation_id: str, now: int) -> None:
    """A limit below what is outstanding takes nothing away; it stops further issues."""
    if not 0 <= issue_limit <= MAX_ISSUE_LIMIT:
        raise Invalid(f"issue_limit must be from 0 to {MAX_ISSUE_LIMIT}", field="issue_limit")
    _change(brand, OperationKind.SET_BRAND_LIMIT, {"issue_limit": issue_limit}, operations, operation_id, now)


def set_brand_status(brand: Brand, status: BrandStatus, *, operations: Operations, operation_id: str, now: int) -> None:
    """Suspend, take up again, or let go for good."""
    if status is BrandStatus.PENDING:
        raise Invalid("status must be active, suspended or exited", field="status")
    if brand.status is BrandStatus.EXITED:
        raise WrongState(f"brand {brand.brand_id} has left the coalition for good", brand_id=brand.brand_id)
    _change(brand, OperationKind.SET_BRAND_STATUS, {"status": status.value}, operations, operation_id, now)


def set_brand_key(
    brand: Brand, key_address: str, valid_from: int, valid_until: int | None, *, operations: Operations, operation_id: str, now: int
) -> None:
    """A key signs from `valid_from` until just before `valid_until`; an end in the past withdraws it."""
    end = OPEN_END if valid_until is None else valid_until
    if not 0 <= valid_from <= OPEN_END or not 0 <= end <= OPEN_END:
        raise Invalid("valid_from and valid_until are Unix seconds", field="valid_until")
    window = {"key_address": key_address, "valid_from": valid_from, "valid_until": end}
    _change(brand, OperationKind.SET_BRAND_KEY, window, operations, operation_id, now)


def _change(brand: Brand, kind: OperationKind, body: Mapping[str, object], operations: Operations, operation_id: str, now: int) -> None:
    check_on_ledger(brand)
    operations.accept(NewOperation(operation_id, kind, {"brand_id": brand.brand_id, **body}, brand_id=brand.brand_id), now)
