"""Members at the gateway: a pseudonym that commits to its first authorizer. Nothing personal."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger import members as ledger_members
from gateway.ledger.members import AuthorizerKind
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
    """The member whose first authorizer this is. Keys and claim keys only; passkeys come later."""
    if kind not in (AuthorizerKind.KEY, AuthorizerKind.CLAIM_KEY):
        raise Invalid(f"authorizer kind {kind} is unknown: 1 is a key, 2 a claim key", field="authorizer.kind")
    if len(authorizer) != 20 or not any(authorizer):
        raise Invalid("an authorizer is the 20-byte address of a key", field="authorizer.address")
    if len(salt) != 32:
        raise Invalid("salt must be 32 bytes", field="salt")
    member_id = ledger_members.member_id(coalition_id, kind, authorizer, salt)
    return Member(member_id, kind, authorizer, salt)
