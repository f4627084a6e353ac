"""Members on the ledger: an id shaped like an address that commits to the first authorizer, and the ids of authorizers."""

from __future__ import annotations

from enum import IntEnum

from eth_hash.auto import keccak

from gateway.values.ids import Hash, MemberId


class AuthorizerKind(IntEnum):
    """What proves a member's consent; 3 (a passkey) is checked by the verifier contract that is built in."""

    KEY = 1
    CLAIM_KEY = 2
    PASSKEY = 3


FIRST_VERIFIER_KIND = 3


def member_id(coalition_id: bytes, kind: int, authorizer: bytes, salt: bytes) -> MemberId:
    """The 20-byte id of the member whose first authorizer this is."""
    if len(coalition_id) != 32 or len(salt) != 32:
        raise ValueError("coalition id and salt are 32 bytes each")
    _check_authorizer(kind, authorizer)
    return MemberId(keccak(coalition_id + bytes([kind]) + keccak(authorizer) + salt)[12:])


def authorizer_id(kind: int, authorizer: bytes) -> Hash:
    """The 32-byte id under which the contract knows an authorizer."""
    _check_authorizer(kind, authorizer)
    return Hash(keccak(bytes([kind]) + authorizer))


def _check_authorizer(kind: int, authorizer: bytes) -> None:
    if not 0 < kind < 256:
        raise ValueError(f"authorizer kind {kind} is not a whole number from 1 to 255")
    if kind < FIRST_VERIFIER_KIND and len(authorizer) != 20:
        raise ValueError("a key is named by its 20-byte address")
