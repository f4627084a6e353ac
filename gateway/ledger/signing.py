"""What brands sign: EIP-712 digests of batches, and keyed references.

The coalition id is the domain's salt, so that no signature of one coalition is good in another.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from gateway.values.hex import hex_text
from gateway.values.ids import Address, Hash, Reference

NAME = "Splittally"
VERSION = "1"

Fields = list[dict[str, str]]

_DOMAIN_FIELDS = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
    {"name": "salt", "type": "bytes32"},
]
_BATCH_FIELDS = [
    {"name": "brand", "type": "uint32"},
    {"name": "number", "type": "uint64"},
    {"name": "entriesHash", "type": "bytes32"},
    {"name": "deadline", "type": "uint40"},
]


def type_hash(name: str, fields: Fields) -> bytes:
    members = ",".join(f"{field['type']} {field['name']}" for field in fields)
    return keccak(f"{name}({members})".encode())


_DOMAIN_TYPE = type_hash("EIP712Domain", _DOMAIN_FIELDS)
_BATCH_TYPE = type_hash("Batch", _BATCH_FIELDS)


@dataclass(frozen=True, slots=True)
class Domain:
    """Which ledger a signature is for; `verifying_contract` is the points ledger's 20-byte address."""

    chain_id: int
    verifying_contract: Address
    coalition_id: Hash


def domain_separator(domain: Domain) -> bytes:
    return keccak(
        _DOMAIN_TYPE
        + keccak(NAME.encode())
        + keccak(VERSION.encode())
        + _word(domain.chain_id)
        + _address_word(domain.verifying_contract)
        + domain.coalition_id
    )


def batch_digest(domain: Domain, brand: int, number: int, entries_hash: bytes, deadline: int) -> bytes:
    """What the brand signs so that a batch counts; `entries_hash` is the keccak of the packed entries."""
    words = _word(brand) + _word(number) + entries_hash + _word(deadline)
    return struct_digest(domain, keccak(_BATCH_TYPE + words))


def batch_typed_data(domain: Domain, brand: int, number: int, entries_hash: bytes, deadline: int) -> dict[str, Any]:
    """The batch as the JSON that wallets sign (eth_signTypedData_v4)."""
    message = {
        "brand": brand,
        "number": number,
        "entriesHash": hex_text(entries_hash),
        "deadline": deadline,
    }
    return typed_data(domain, "Batch", _BATCH_FIELDS, message)


def reference(secret: bytes, prefix: str, external_id: str) -> Reference:
    """The keyed hash under which a brand's own id stands on the ledger; without the secret it cannot be guessed."""
    return Reference(hmac.new(secret, f"{prefix}:{external_id}".encode(), hashlib.sha256).digest())


def struct_digest(domain: Domain, struct_hash: bytes) -> bytes:
    return keccak(b"\x19\x01" + domain_separator(domain) + struct_hash)


def typed_data(domain: Domain, primary_type: str, fields: Fields, message: dict[str, Any]) -> dict[str, Any]:
    return {
        "types": {"EIP712Domain": _DOMAIN_FIELDS, primary_type: fields},
        "primaryType": primary_type,
        "domain": {
            "name": NAME,
            "version": VERSION,
            "chainId": domain.chain_id,
            "verifyingContract": hex_text(domain.verifying_contract),
            "salt": hex_text(domain.coalition_id),
        },
        "message": message,
    }


def _word(value: int) -> bytes:
    return value.to_bytes(32)


def _address_word(address: bytes) -> bytes:
    if len(address) != 20:
        raise ValueError(f"an address has 20 bytes, not {len(address)}")
    return bytes(12) + address
