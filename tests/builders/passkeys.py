"""A software authenticator with one passkey, in a browser at one origin: what it signs, and every way of signing something else."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.ledger.passkeys import Assertion, Passkey, consent_proof

RP_ID = "wallet.example"
ORIGIN = "https://wallet.example"
USER_PRESENT, USER_VERIFIED = 0x01, 0x04
GOOD_FLAGS = USER_PRESENT | USER_VERIFIED
SAME_AGAIN = ec.ECDSA(SHA256(), deterministic_signing=True)
USUAL_END = b',"crossOrigin":false}'
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class SoftwareAuthenticator:
    """`name` makes the key, always the same one."""

    name: str = "ann"
    rp_id: str = RP_ID
    origin: str = ORIGIN

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(sha256(self.name.encode()).digest()) % P256_ORDER, ec.SECP256R1())

    @property
    def passkey(self) -> Passkey:
        numbers = self.key.public_key().public_numbers()
        return Passkey(numbers.x.to_bytes(32), numbers.y.to_bytes(32), sha256(self.rp_id.encode()).digest(), self.origin)

    @property
    def authorizer(self) -> bytes:
        return self.passkey.authorizer()

    def sign(self, digest: bytes, **other: Any) -> bytes:
        """The verifier's proof; `other` replaces what an honest browser says: client_data, its end, kind, rp_id, flags, extensions."""
        client_data = other.get("client_data", client_data_of(digest, self.origin, **other))
        rp_id_hash = sha256(other.get("rp_id", self.rp_id).encode()).digest()
        data = rp_id_hash + bytes([other.get("flags", GOOD_FLAGS)]) + bytes(4) + other.get("extensions", b"")
        return Assertion(data, client_data, self.key.sign(data + sha256(client_data).digest(), SAME_AGAIN)).proof()

    def consent(self, digest: bytes, **other: Any) -> bytes:
        """The proof of a consent of kind 3."""
        return consent_proof(self.authorizer, self.sign(digest, **other))


def client_data_of(digest: bytes, origin: str = ORIGIN, *, end: bytes = USUAL_END, kind: str = "webauthn.get", **_: Any) -> bytes:
    """As browsers write it, with `end` from after the origin on."""
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return f'{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}"'.encode() + end


def with_high_s(proof: bytes) -> bytes:
    """The twin signature of the same proof."""
    return proof[:32] + (P256_ORDER - int.from_bytes(proof[32:64])).to_bytes(32) + proof[64:]
