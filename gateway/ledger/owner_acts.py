"""What a brand's owner signs: EIP-712 digests of a batch key, of terms, of exposure and of handing the brand over, for anyone to relay."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Any, ClassVar

from eth_hash.auto import keccak

from gateway.ledger.signing import Domain, Fields, struct_digest, type_hash, typed_data
from gateway.ledger.terms import LedgerTerms
from gateway.values.hex import hex_text
from gateway.values.ids import Address


@dataclass(frozen=True, slots=True)
class SetBrandKey:
    """`managed`: the operator holds the key on the brand's behalf. An end in the past withdraws the key."""

    brand: int
    key: Address
    valid_from: int
    valid_until: int
    managed: bool
    nonce: int  # how often the brand's owners acted before
    deadline: int

    FIELDS: ClassVar[Fields] = [
        {"name": "brand", "type": "uint32"},
        {"name": "key", "type": "address"},
        {"name": "validFrom", "type": "uint40"},
        {"name": "validUntil", "type": "uint40"},
        {"name": "managed", "type": "bool"},
        {"name": "nonce", "type": "uint64"},
        {"name": "deadline", "type": "uint40"},
    ]


@dataclass(frozen=True, slots=True)
class SetBrandTerms:
    brand: int
    terms: LedgerTerms
    nonce: int
    deadline: int

    FIELDS: ClassVar[Fields] = [
        {"name": "brand", "type": "uint32"},
        {"name": "parMinor", "type": "uint64"},
        {"name": "parPoints", "type": "uint64"},
        {"name": "redemptionMinor", "type": "uint64"},
        {"name": "redemptionPoints", "type": "uint64"},
        {"name": "feeBasisPoints", "type": "uint16"},
        {"name": "runOffDays", "type": "uint16"},
        {"name": "noticeDays", "type": "uint16"},
        {"name": "nonce", "type": "uint64"},
        {"name": "deadline", "type": "uint40"},
    ]


@dataclass(frozen=True, slots=True)
class SetExposure:
    """How many of the issuer's points the brand lets itself be owed."""

    brand: int
    issuer: int
    most: int
    nonce: int
    deadline: int

    FIELDS: ClassVar[Fields] = [
        {"name": "brand", "type": "uint32"},
        {"name": "issuer", "type": "uint32"},
        {"name": "most", "type": "uint96"},
        {"name": "nonce", "type": "uint64"},
        {"name": "deadline", "type": "uint40"},
    ]


@dataclass(frozen=True, slots=True)
class HandOver:
    """Signed by the owner and by the new one. In a succession the brand issues no more; otherwise only its owner is another."""

    brand: int
    owner: Address
    issues_no_more: bool
    nonce: int
    deadline: int

    FIELDS: ClassVar[Fields] = [
        {"name": "brand", "type": "uint32"},
        {"name": "owner", "type": "address"},
        {"name": "issuesNoMore", "type": "bool"},
        {"name": "nonce", "type": "uint64"},
        {"name": "deadline", "type": "uint40"},
    ]


BrandOwnerAct = SetBrandKey | SetBrandTerms | SetExposure | HandOver


def owner_act_digest(domain: Domain, act: BrandOwnerAct) -> bytes:
    """What is signed so that the act counts."""
    words = b"".join(value.rjust(32, b"\0") if isinstance(value, bytes) else int(value).to_bytes(32) for value in _values(act))
    return struct_digest(domain, keccak(type_hash(type(act).__name__, act.FIELDS) + words))


def owner_act_typed_data(domain: Domain, act: BrandOwnerAct) -> dict[str, Any]:
    """The act as the JSON that wallets sign (eth_signTypedData_v4)."""
    shown = (hex_text(value) if isinstance(value, bytes) else value for value in _values(act))
    message = {field["name"]: value for field, value in zip(act.FIELDS, shown, strict=True)}
    return typed_data(domain, type(act).__name__, act.FIELDS, message)


def _values(act: BrandOwnerAct) -> list[Any]:
    """In the order of the type's fields."""
    values: list[Any] = []
    for value in (getattr(act, each.name) for each in fields(act)):
        values.extend(astuple(value) if isinstance(value, LedgerTerms) else [value])
    return values
