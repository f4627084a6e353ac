"""Operations that change what the ledger holds of a brand: acts of governance, and what the brand's owner signed."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.brand_states import BrandState
from gateway.ledger.governing import OwnerSignature
from gateway.ledger.terms import LedgerTerms
from gateway.values.ids import Address, OperationId


@dataclass(frozen=True, slots=True)
class RegisterBrandOperation:
    """A brand with its owner, its first key (signing while valid_from <= t < valid_until, Unix seconds), limit and terms."""

    operation_id: OperationId
    brand_id: int
    name: str
    key_address: Address
    key_valid_from: int
    key_valid_until: int
    issue_limit: int
    terms: LedgerTerms
    owner_address: Address
    managed: bool = False  # the operator holds the key on the brand's behalf


@dataclass(frozen=True, slots=True)
class SetBrandTermsOperation:
    operation_id: OperationId
    brand_id: int
    terms: LedgerTerms
    signed: OwnerSignature


@dataclass(frozen=True, slots=True)
class SetBrandLimitOperation:
    operation_id: OperationId
    brand_id: int
    issue_limit: int


@dataclass(frozen=True, slots=True)
class SetBrandStatusOperation:
    operation_id: OperationId
    brand_id: int
    status: BrandState


@dataclass(frozen=True, slots=True)
class SetBrandKeyOperation:
    operation_id: OperationId
    brand_id: int
    key_address: Address
    valid_from: int
    valid_until: int
    signed: OwnerSignature
    managed: bool = False


@dataclass(frozen=True, slots=True)
class SetExposureOperation:
    """How many of the issuer's points the brand lets itself be owed."""

    operation_id: OperationId
    brand_id: int
    issuer_id: int
    most: int
    signed: OwnerSignature


OwnerOperation = SetBrandTermsOperation | SetBrandKeyOperation | SetExposureOperation
BrandOperation = RegisterBrandOperation | SetBrandLimitOperation | SetBrandStatusOperation | OwnerOperation
