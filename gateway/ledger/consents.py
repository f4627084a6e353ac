"""What members sign to spend and to transfer points: EIP-712 digests, and the hash of an order that a member's device can recompute."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from eth_hash.auto import keccak

from gateway.ledger.entries import BRAND_GRANT, MEMBER_GRANT, Authorize, Redeem, Transfer
from gateway.ledger.lots import Line
from gateway.ledger.packed_fields import pack_lines
from gateway.ledger.signing import Domain, Fields, struct_digest, type_hash, typed_data
from gateway.values.hex import hex_text
from gateway.values.ids import Hash, MemberId, Reference, ReservationId

MOST_IN_JSON = 2**53 - 1
NO_ORDER = Hash(bytes(32))
"""Where a consent is about no order that anybody could show."""

_CONSENT_FIELDS: Fields = [
    {"name": "member", "type": "address"},
    {"name": "spender", "type": "address"},
    {"name": "brand", "type": "uint32"},
    {"name": "points", "type": "uint64"},
    {"name": "discountMinor", "type": "uint64"},
    {"name": "order", "type": "bytes32"},
    {"name": "reference", "type": "bytes32"},
    {"name": "nonce", "type": "uint64"},
    {"name": "deadline", "type": "uint40"},
]
_TRANSFER_FIELDS: Fields = [
    {"name": "from", "type": "address"},
    {"name": "to", "type": "address"},
    {"name": "lines", "type": "bytes32"},
    {"name": "nonce", "type": "uint64"},
    {"name": "deadline", "type": "uint40"},
]
_BRAND_SPEND_FIELDS: Fields = [
    {"name": "member", "type": "address"},
    {"name": "brand", "type": "uint32"},
    {"name": "reference", "type": "bytes32"},
]


@dataclass(frozen=True, slots=True)
class ConsentTerms:
    """What is consented to, in the order of the type's fields: `member` is whose points, `spender` who consents."""

    member: MemberId
    spender: MemberId
    brand: int
    points: int
    discount: int  # in minor units
    order: Hash
    reference: Reference
    nonce: int
    deadline: int


@dataclass(frozen=True, slots=True)
class TransferTerms:
    """What both sides of a transfer sign, in the order of the type's fields; `lines` is the hash of the packed lines."""

    giver: MemberId
    taker: MemberId
    lines: Hash
    nonce: int
    deadline: int


def consent_digest(domain: Domain, terms: ConsentTerms) -> ReservationId:
    """What is signed to let `brand` take `points` until `deadline`; at the same time the reservation id."""
    return ReservationId(_digest(domain, "Consent", _CONSENT_FIELDS, astuple(terms)))


def consent_typed_data(domain: Domain, terms: ConsentTerms) -> dict[str, Any]:
    """The consent as the JSON that wallets sign (eth_signTypedData_v4)."""
    return _typed_data(domain, "Consent", _CONSENT_FIELDS, astuple(terms))


def transfer_digest(domain: Domain, terms: TransferTerms) -> ReservationId:
    """What both sides sign; the contract keeps it among the reservations, so that it is good once."""
    return ReservationId(_digest(domain, "Transfer", _TRANSFER_FIELDS, astuple(terms)))


def transfer_typed_data(domain: Domain, terms: TransferTerms) -> dict[str, Any]:
    """The transfer as the JSON that wallets sign (eth_signTypedData_v4)."""
    return _typed_data(domain, "Transfer", _TRANSFER_FIELDS, astuple(terms))


def brand_grant_digest(domain: Domain, member: MemberId, brand: int, reference: Reference) -> ReservationId:
    """The reservation id of what a brand takes under a member's grant, which nobody signs: each reference once."""
    return ReservationId(_digest(domain, "BrandSpend", _BRAND_SPEND_FIELDS, (member, brand, reference)))


def lines_hash(lines: Sequence[Line]) -> Hash:
    """What a transfer's signatures cover of its lines."""
    return Hash(keccak(pack_lines(lines)))


def transfer_terms(entry: Transfer) -> TransferTerms:
    return TransferTerms(entry.giver, entry.taker, lines_hash(entry.lines), entry.nonce, entry.deadline)


def spender_of(entry: Authorize | Redeem) -> MemberId:
    """Who consents: the member, or another one under a grant."""
    return MemberId(entry.proof.proof[:20]) if entry.proof.kind == MEMBER_GRANT else entry.member


def reservation_id_of(domain: Domain, brand: int, entry: Authorize | Redeem) -> ReservationId:
    """Under which the contract knows what this entry of a batch of `brand` reserves or takes."""
    if entry.proof.kind == BRAND_GRANT:
        return brand_grant_digest(domain, entry.member, brand, entry.reference)
    amounts = entry.points, entry.discount, entry.order, entry.reference, entry.nonce, entry.deadline
    return consent_digest(domain, ConsentTerms(entry.member, spender_of(entry), brand, *amounts))


def order_hash(order: Mapping[str, Any]) -> Hash:
    """keccak of the order as canonical JSON (RFC 8785, whole numbers alone). Raises ValueError for what has no such form."""
    _check_json(order)
    return Hash(keccak(json.dumps(order, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()))


def _check_json(value: Any) -> None:
    match value:
        case None | bool() | str():
            return
        case int() if abs(value) <= MOST_IN_JSON:
            return
        case Mapping():
            if not all(isinstance(key, str) and key.isascii() for key in value):
                raise ValueError("the names in an order are ASCII text")
            for each in value.values():
                _check_json(each)
        case list() | tuple():
            for each in value:
                _check_json(each)
        case _:
            raise ValueError(f"an order holds text, whole numbers up to 2^53 - 1, true, false, null, lists and objects, not {value!r}")


def _digest(domain: Domain, name: str, fields: Fields, values: Sequence[Any]) -> bytes:
    words = b"".join(value.rjust(32, b"\0") if isinstance(value, bytes) else value.to_bytes(32) for value in values)
    return struct_digest(domain, keccak(type_hash(name, fields) + words))


def _typed_data(domain: Domain, name: str, fields: Fields, values: Sequence[Any]) -> dict[str, Any]:
    shown = (hex_text(value) if isinstance(value, bytes) else value for value in values)
    return typed_data(domain, name, fields, {field["name"]: value for field, value in zip(fields, shown, strict=True)})
