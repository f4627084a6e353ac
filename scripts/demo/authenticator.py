"""A software authenticator: a passkey on P-256 that signs as a browser at the wallet's own page has it sign, the member verified."""

from __future__ import annotations

import base64
from functools import cached_property
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.ledger.passkeys import Assertion, Passkey, consent_proof

RP_ID = "wallet.example"
ORIGIN = f"https://{RP_ID}"
_PRESENT_AND_VERIFIED = bytes([0x05])
_COUNTER = bytes(4)
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Authenticator:
    """One passkey; `secret` are 32 bytes that make it."""

    def __init__(self, secret: bytes) -> None:
        self._key = ec.derive_private_key(1 + int.from_bytes(secret) % (_P256_ORDER - 1), ec.SECP256R1())

    @cached_property
    def passkey(self) -> Passkey:
        point = self._key.public_key().public_numbers()
        return Passkey(point.x.to_bytes(32), point.y.to_bytes(32), sha256(RP_ID.encode()).digest(), ORIGIN)

    def proof(self, digest: bytes) -> bytes:
        """The assertion whose challenge is the digest, with the passkey, as the ledger takes it (kind 3)."""
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        client_data = f'{{"type":"webauthn.get","challenge":"{challenge}","origin":"{ORIGIN}","crossOrigin":false}}'.encode()
        data = sha256(RP_ID.encode()).digest() + _PRESENT_AND_VERIFIED + _COUNTER
        signature = self._key.sign(data + sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return consent_proof(self.passkey.authorizer(), Assertion(data, client_data, signature).proof())
