"""A secp256k1 key that signs digests the way the contract checks them."""

from __future__ import annotations

from coincurve import PrivateKey
from eth_hash.auto import keccak

from gateway.values.ids import Address


class Key:
    """`address` is the key's address."""

    def __init__(self, secret: bytes) -> None:
        self._key = PrivateKey(secret)
        self.address = Address(keccak(self._key.public_key.format(compressed=False)[1:])[12:])

    def sign(self, digest: bytes) -> bytes:
        """65 bytes r, s, v with a low s and v 27 or 28; the same digest gives the same bytes (RFC 6979)."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([signature[64] + 27])
