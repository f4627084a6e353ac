"""Recovers the signer of a digest by the contract's rules: 65 bytes r, s, v with v 27 or 28 and s in the lower half."""

from __future__ import annotations

from coincurve import PublicKey
from eth_hash.auto import keccak

from gateway.values.ids import Address

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def recover_address(digest: bytes, signature: bytes) -> Address | None:
    """The signer's 20-byte address; None where the contract refuses the signature."""
    if len(signature) != 65 or signature[64] not in (27, 28) or int.from_bytes(signature[32:64]) > _HALF_ORDER:
        return None
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes([signature[64] - 27]), digest, hasher=None)
    except ValueError:
        return None
    return Address(keccak(key.format(compressed=False)[1:])[12:])
