"""Acts of governance as its contract names and approves them: the id of a call, and what an approver signs."""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.abi import encode
from eth_hash.auto import keccak

from gateway.ledger.signing import Domain, Fields, struct_digest, type_hash
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.ids import Address, Hash

NO_PREDECESSOR = bytes(32)
_APPROVAL_FIELDS: Fields = [
    {"name": "operation", "type": "bytes32"},
    {"name": "approvedAt", "type": "uint40"},
    {"name": "goodUntil", "type": "uint40"},
]
_APPROVAL_TYPE = type_hash("Approval", _APPROVAL_FIELDS)
_VETO_TYPE = type_hash("Veto", [{"name": "operation", "type": "bytes32"}, {"name": "brand", "type": "uint32"}])
ACT_LIFETIME_SECONDS = 30 * SECONDS_PER_DAY
"""An act lapses so long after it is ready."""
REPLACEMENT_DELAYS = 3
"""How many delays an act waits that replaces the guardian."""


@dataclass(frozen=True, slots=True)
class Approval:
    """By the approver's own clock, in Unix seconds."""

    approved_at: int
    good_until: int
    signature: bytes


def act_id(target: Address, data: bytes, salt: Hash) -> Hash:
    """The timelock's `hashOperation` of one call without ether and predecessor."""
    types = ["address", "uint256", "bytes", "bytes32", "bytes32"]
    return Hash(keccak(encode(types, [target, 0, data, NO_PREDECESSOR, salt])))


def approval_digest(domain: Domain, act: Hash, approved_at: int, good_until: int) -> bytes:
    """What an approver signs; `domain` is governance's own."""
    return struct_digest(domain, keccak(_APPROVAL_TYPE + act + approved_at.to_bytes(32) + good_until.to_bytes(32)))


def veto_digest(domain: Domain, act: Hash, brand: int) -> bytes:
    """What a brand's owner signs against the act that replaces this owner."""
    return struct_digest(domain, keccak(_VETO_TYPE + act + brand.to_bytes(32)))
