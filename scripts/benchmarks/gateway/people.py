"""The members: every second one signs with a passkey, the others with a key. A number makes the keys, always the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from gateway.brand_signer.key import Key
from gateway.ledger.members import AuthorizerKind, member_id
from gateway.values.hex import hex_text
from gateway.values.ids import MemberId
from scripts.demo.authenticator import RP_ID, Authenticator

PASSKEY_EVERY = 2


@dataclass(frozen=True)
class Person:
    signer: Key | Authenticator
    salt: bytes

    @property
    def kind(self) -> AuthorizerKind:
        return AuthorizerKind.KEY if isinstance(self.signer, Key) else AuthorizerKind.PASSKEY

    def member(self, coalition_id: bytes) -> MemberId:
        authorizer = self.signer.address if isinstance(self.signer, Key) else self.signer.passkey.authorizer()
        return member_id(coalition_id, self.kind, authorizer, self.salt)

    def enrolment(self) -> dict[str, Any]:
        """As the gateway takes it."""
        if isinstance(self.signer, Key):
            authorizer: dict[str, Any] = {"kind": int(self.kind), "address": hex_text(self.signer.address)}
        else:
            passkey = self.signer.passkey
            point = {"x": hex_text(passkey.x), "y": hex_text(passkey.y)}
            authorizer = {"kind": int(self.kind), **point, "rp_id": RP_ID, "origin": passkey.origin}
        return {"authorizer": authorizer, "salt": hex_text(self.salt)}

    def proof(self, digest: bytes) -> bytes:
        return self.signer.sign(digest) if isinstance(self.signer, Key) else self.signer.proof(digest)


def person(number: int) -> Person:
    secret, salt = (keccak(f"benchmark member's {what} {number}".encode()) for what in ("secret", "salt"))
    return Person(Authenticator(secret) if number % PASSKEY_EVERY else Key(secret), salt)
