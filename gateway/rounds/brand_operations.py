"""Operations about a brand: those that governance decides and those that its owner signs."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.brand_states import BrandState
from gateway.ledger.terms import LedgerTerms
from gateway.values.ids import Address, OperationId


@dataclass(frozen=True, slots=True)
class OwnerSignature:
    """By the key of the brand's owner, over the act in the ledger's format."""

    nonce: int
    deadline: int
    signature: bytes


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
