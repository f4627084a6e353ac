"""Members at the gateway: a pseudonym that commits to its first authorizer. Nothing personal."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger import members as ledger_members
from gateway.ledger.members import AuthorizerKind
from gateway.ledger.passkeys import authorizer_refusal
from gateway.values.errors import Invalid
from gateway.values.ids import MemberId


@dataclass(frozen=True, slots=True)
class Member:
    """A member with its first authorizer."""

    member_id: MemberId
    authorizer_kind: int
    authorizer: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class Authorizer:
    """What may consent for a member, as the ledger has it."""

    kind: int
    authorizer: bytes


def new_member(coalition_id: bytes, kind: int, authorizer: bytes, salt: bytes) -> Member:
    """The member whose first authorizer this is."""
    if kind not in tuple(AuthorizerKind):
        raise Invalid(f"authorizer kind {kind} is unknown: 1 is a key, 2 a claim key, 3 a passkey", field="authorizer.kind")
    if kind == AuthorizerKind.PASSKEY:
        refusal = authorizer_refusal(authorizer)
        if refusal is not None:
            wanted = "a passkey is a point of P-256, a relying party and an origin as browsers write it"
            raise Invalid(wanted, field="authorizer", reason=refusal.value)
    elif len(authorizer) != 20 or not any(authorizer):
        raise Invalid("an authorizer is the 20-byte address of a key", field="authorizer.address")
    if len(salt) != 32:
        raise Invalid("salt must be 32 bytes", field="salt")
    member_id = ledger_members.member_id(coalition_id, kind, authorizer, salt)
    return Member(member_id, kind, authorizer, salt)
