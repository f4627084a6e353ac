"""What a member's authorizers and its guardian sign beside consents: acts on the member, as EIP-712 digests, for anyone to relay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, ClassVar

from eth_hash.auto import keccak

from gateway.ledger.signing import Domain, Fields, struct_digest, type_hash, typed_data
from gateway.values.hex import hex_text, to_bytes
from gateway.values.ids import Hash, MemberId

_IN_TURN: Fields = [{"name": "nonce", "type": "uint64"}, {"name": "deadline", "type": "uint40"}]
_OF_MEMBER: Fields = [{"name": "member", "type": "address"}]
_OF_AUTHORIZER: Fields = [*_OF_MEMBER, {"name": "kind", "type": "uint8"}, {"name": "authorizer", "type": "bytes"}, *_IN_TURN]


@dataclass(frozen=True, slots=True)
class AuthorizerChange:
    """At once. `add_kind` 0 adds nothing; `remove_id` is the signer's own or zero."""

    member: MemberId
    add_kind: int
    add_authorizer: bytes
    remove_id: Hash
    nonce: int  # how often the member's authorizers acted before
    deadline: int

    FIELDS: ClassVar[Fields] = [
        *_OF_MEMBER,
        {"name": "addKind", "type": "uint8"},
        {"name": "addAuthorizer", "type": "bytes"},
        {"name": "removeId", "type": "bytes32"},
        *_IN_TURN,
    ]


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to spend `giver`'s points, in place of the one before. `per_purchase` 0 withdraws it."""

    giver: MemberId
    to: Hash  # a brand id or a member, as a number of 32 bytes
    per_purchase: int
    per_day: int
    in_all: int
    until: int  # the last second
    nonce: int
    deadline: int

    FIELDS: ClassVar[Fields] = [
        {"name": "giver", "type": "address"},
        {"name": "to", "type": "bytes32"},
        {"name": "perPurchase", "type": "uint64"},
        {"name": "perDay", "type": "uint64"},
        {"name": "inAll", "type": "uint64"},
        {"name": "until", "type": "uint40"},
        *_IN_TURN,
    ]

    @property
    def member(self) -> MemberId:
        return self.giver


@dataclass(frozen=True, slots=True)
class SpendLock:
    """At once. `nonce` is the member's turn."""

    member: MemberId
    nonce: int
    deadline: int

    FIELDS: ClassVar[Fields] = [*_OF_MEMBER, *_IN_TURN]


@dataclass(frozen=True, slots=True)
class Unlock:
    member: MemberId
    nonce: int
    deadline: int

    FIELDS: ClassVar[Fields] = [*_OF_MEMBER, *_IN_TURN]


@dataclass(frozen=True, slots=True)
class RemoveAuthorizer:
    member: MemberId
    kind: int
    authorizer: bytes
    nonce: int
    deadline: int

    FIELDS: ClassVar[Fields] = _OF_AUTHORIZER


@dataclass(frozen=True, slots=True)
class SetGuardian:
    """Kind 0 and no authorizer: no guardian any more. Waits unless it is the first one and the member is not locked."""

    member: MemberId
    kind: int
    authorizer: bytes
    nonce: int
    deadline: int

    FIELDS: ClassVar[Fields] = _OF_AUTHORIZER


@dataclass(frozen=True, slots=True)
class Recovery:
    """Signed by the guardian: this authorizer in place of all. `nonce` is any number not signed before."""

    member: MemberId
    kind: int
    authorizer: bytes
    nonce: int
    deadline: int

    FIELDS: ClassVar[Fields] = _OF_AUTHORIZER


@dataclass(frozen=True, slots=True)
class Veto:
    """By any authorizer or the guardian, against the pending act with this id."""

    member: MemberId
    act: Hash

    FIELDS: ClassVar[Fields] = [*_OF_MEMBER, {"name": "act", "type": "bytes32"}]


DelayedAct = Unlock | RemoveAuthorizer | SetGuardian | Recovery
MemberAct = AuthorizerChange | Grant | SpendLock | DelayedAct | Veto


class DelayedActKind(IntEnum):
    """As the contract numbers them."""

    UNLOCK = 0
    REMOVE_AUTHORIZER = 1
    SET_GUARDIAN = 2
    RECOVER = 3


_OF_AN_AUTHORIZER: dict[DelayedActKind, type[RemoveAuthorizer | SetGuardian | Recovery]] = {
    DelayedActKind.REMOVE_AUTHORIZER: RemoveAuthorizer,
    DelayedActKind.SET_GUARDIAN: SetGuardian,
    DelayedActKind.RECOVER: Recovery,
}


def delayed_act(what: int, member: MemberId, kind: int, authorizer: bytes, nonce: int, deadline: int) -> DelayedAct:
    """The act with the contract's arguments."""
    if what == DelayedActKind.UNLOCK:
        return Unlock(member, nonce, deadline)
    return _OF_AN_AUTHORIZER[DelayedActKind(what)](member, kind, authorizer, nonce, deadline)


def delayed_act_arguments(act: DelayedAct) -> tuple[int, MemberId, int, bytes, int, int]:
    """As the contract takes an act that waits; an unlock names no authorizer."""
    if isinstance(act, Unlock):
        return (DelayedActKind.UNLOCK, act.member, 0, b"", act.nonce, act.deadline)
    what = next(what for what, form in _OF_AN_AUTHORIZER.items() if isinstance(act, form))
    return (what, act.member, act.kind, act.authorizer, act.nonce, act.deadline)


def member_act_body(act: MemberAct) -> dict[str, Any]:
    """The act as JSON values by field, with its type's name: numbers of 64 bits as text."""
    values = ((each.name, getattr(act, each.name)) for each in fields(act))
    body = {name: hex_text(value) if isinstance(value, bytes) else str(value) for name, value in values}
    return {"type": type(act).__name__, **body}


def member_act_from(body: Mapping[str, str]) -> MemberAct:
    """The act that a body of `member_act_body` says."""
    form = _FORMS[body["type"]]
    return form(**{each.name: _READERS.get(str(each.type), int)(body[each.name]) for each in fields(form)})


_FORMS: dict[str, type[MemberAct]] = {
    form.__name__: form for form in (AuthorizerChange, Grant, SpendLock, Unlock, RemoveAuthorizer, SetGuardian, Recovery, Veto)
}
_READERS: dict[str, Callable[[str], Any]] = {"MemberId": MemberId.parse, "Hash": Hash.parse, "bytes": to_bytes}


def grant_to_brand(brand: int) -> Hash:
    return Hash(brand.to_bytes(32))


def grant_to_member(member: MemberId) -> Hash:
    return Hash(bytes(12) + member)


def member_act_digest(domain: Domain, act: MemberAct) -> Hash:
    """What is signed so that the act counts; of one that waits also its id. `domain` is that of the register of members."""
    values = (getattr(act, each.name) for each in fields(act))
    words = b"".join(_word(field["type"], value) for field, value in zip(act.FIELDS, values, strict=True))
    return Hash(struct_digest(domain, keccak(type_hash(type(act).__name__, act.FIELDS) + words)))


def member_act_typed_data(domain: Domain, act: MemberAct) -> dict[str, Any]:
    """The act as the JSON that wallets sign (eth_signTypedData_v4)."""
    values = (getattr(act, each.name) for each in fields(act))
    shown = (hex_text(value) if isinstance(value, bytes) else value for value in values)
    message = {field["name"]: value for field, value in zip(act.FIELDS, shown, strict=True)}
    return typed_data(domain, type(act).__name__, act.FIELDS, message)


def _word(kind: str, value: Any) -> bytes:
    if kind == "bytes":
        return keccak(value)
    return bytes(value.rjust(32, b"\0")) if isinstance(value, bytes) else int(value).to_bytes(32)
