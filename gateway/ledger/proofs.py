"""Who showed by a proof that it approved of a digest: keys by their signature, passkeys by what their verifier says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.ledger.members import AuthorizerKind, authorizer_id
from gateway.values.ids import Hash

Recover = Callable[[bytes, bytes], bytes | None]
"""(digest, 65-byte signature) → the signer's 20-byte address, or None where the contract's ECDSA refuses the signature."""

Verify = Callable[[int, bytes, bytes, bytes], bool]
"""(authorizer kind, digest, authorizer, proof) → whether the verifier contract of that kind accepts the proof."""


def no_verifiers(kind: int, digest: bytes, authorizer: bytes, proof: bytes) -> bool:
    """A ledger on which no verifier is registered."""
    return False


@dataclass(frozen=True, slots=True)
class Proofs:
    """`signer` reads whose proof it is; what a passkey claims is good only if `is_good` says so too."""

    recover: Recover
    verify: Verify = no_verifiers

    def signer(self, digest: bytes, kind: int, proof: bytes) -> Hash | None:
        """The authorizer's id, None for a proof that cannot be read."""
        if kind in (AuthorizerKind.KEY, AuthorizerKind.CLAIM_KEY):
            address = self.recover(digest, proof) if len(proof) == 65 else None
            return None if address is None else authorizer_id(kind, address)
        authorizer = _claimed(kind, proof)
        return None if authorizer is None else authorizer_id(kind, authorizer)

    def is_good(self, digest: bytes, kind: int, proof: bytes) -> bool:
        if kind != AuthorizerKind.PASSKEY:
            return True
        authorizer = _claimed(kind, proof)
        return authorizer is not None and self.verify(kind, digest, authorizer, proof[2 + len(authorizer) :])


def _claimed(kind: int, proof: bytes) -> bytes | None:
    """The authorizer that stands in the proof of a verifier's kind."""
    if kind != AuthorizerKind.PASSKEY or len(proof) < 2:
        return None
    end = 2 + int.from_bytes(proof[:2])
    return proof[2:end] if end <= len(proof) else None
