"""The events of ledger and registers, read from raw logs by their signatures alone: nothing is shared with what fills the projection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

from eth_abi.abi import decode
from eth_hash.auto import keccak

from gateway.audit.member_events import MEMBER_EVENTS, MemberEvent, read_member_event
from gateway.audit.settlement_events import SETTLEMENT_EVENTS, PairApplied, PairPaid
from gateway.values.ids import Address, Hash, LotId, MemberId, ReservationId

NOBODY = MemberId(bytes(20))
"""The zero id, where points come from and go to."""


@dataclass(frozen=True, slots=True)
class BrandRegistered:
    brand_id: int
    limit: int


@dataclass(frozen=True, slots=True)
class BrandOwnerSet:
    brand_id: int
    owner: Address


@dataclass(frozen=True, slots=True)
class BrandStatusSet:
    brand_id: int
    status: int
    last_day: int


@dataclass(frozen=True, slots=True)
class BrandLimitSet:
    brand_id: int
    limit: int


@dataclass(frozen=True, slots=True)
class BrandKeySet:
    brand_id: int
    key: Address
    valid_from: int
    valid_until: int
    managed: bool


@dataclass(frozen=True, slots=True)
class BrandTermsSet:
    """`terms`: par, redemption (minor, points each), fee, days of a run-off and of notice."""

    brand_id: int
    number: int
    terms: tuple[int, ...]
    valid_from: int


@dataclass(frozen=True, slots=True)
class ExposureSet:
    brand_id: int
    issuer_id: int
    most: int


@dataclass(frozen=True, slots=True)
class ReservationReleased:
    reservation_id: ReservationId
    member: MemberId
    brand_id: int


@dataclass(frozen=True, slots=True)
class OwnerActed:
    brand_id: int
    nonce: int


@dataclass(frozen=True, slots=True)
class PauseRearmed:
    pass


@dataclass(frozen=True, slots=True)
class ActScheduled:
    act: Hash
    delay: int


@dataclass(frozen=True, slots=True)
class ActApproved:
    act: Hash
    approver: Address
    approved_at: int


@dataclass(frozen=True, slots=True)
class ActExecuted:
    act: Hash


@dataclass(frozen=True, slots=True)
class ApproversSet:
    approvers: frozenset[Address]
    needed: int


@dataclass(frozen=True, slots=True)
class GovernorReplaced:
    """`role`: operator, guardian, or delay; `to`: the account, or the seconds."""

    role: str
    to: Address | int


@dataclass(frozen=True, slots=True)
class MemberEnrolled:
    member: MemberId
    kind: int
    authorizer: bytes


@dataclass(frozen=True, slots=True)
class AuthorizerAdded:
    member: MemberId
    kind: int
    authorizer: bytes


@dataclass(frozen=True, slots=True)
class AuthorizerRemoved:
    member: MemberId
    authorizer_id: Hash


@dataclass(frozen=True, slots=True)
class EntryRefused:
    brand_id: int
    number: int
    index: int
    reason: bytes


@dataclass(frozen=True, slots=True)
class BatchRecorded:
    brand_id: int
    number: int
    root: Hash
    entry_count: int
    refused_count: int


@dataclass(frozen=True, slots=True)
class PointsMoved:
    """TransferSingle; the zero id stands for nobody."""

    giver: MemberId
    taker: MemberId
    lot_id: LotId
    points: int


LedgerEvent = (
    BrandRegistered
    | BrandOwnerSet
    | BrandStatusSet
    | BrandLimitSet
    | BrandKeySet
    | BrandTermsSet
    | ExposureSet
    | ReservationReleased
    | OwnerActed
    | PauseRearmed
    | ActScheduled
    | ActApproved
    | ActExecuted
    | ApproversSet
    | GovernorReplaced
    | PairApplied
    | PairPaid
    | MemberEnrolled
    | AuthorizerAdded
    | AuthorizerRemoved
    | MemberEvent
    | EntryRefused
    | BatchRecorded
    | PointsMoved
)


class EventSource(Enum):
    """The contracts whose events are looked at; an event of one means nothing in a log of another."""

    POINTS = auto()
    BRANDS = auto()
    MEMBERS = auto()
    GOVERNANCE = auto()
    SETTLEMENT = auto()


def read_event(source: EventSource, topics: tuple[bytes, ...], data: bytes) -> LedgerEvent | None:
    """The event of a log of this contract; None for one that no check needs (roles, URIs)."""
    reader = _READERS.get((source, topics[0])) if topics else None
    return reader(topics, data) if reader else None


def _number(topic: bytes) -> int:
    return int.from_bytes(topic)


def _address(topic: bytes) -> bytes:
    return topic[12:]


def _member(topic: bytes) -> MemberId:
    return MemberId(_address(topic))


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[start : start + 32]) for start in range(0, len(data), 32)]


def _kind_and_authorizer(data: bytes) -> tuple[int, bytes]:
    kind, authorizer = decode(["uint8", "bytes"], data)
    return kind, authorizer


def _approvers(data: bytes) -> ApproversSet:
    accounts, needed = decode(["address[]", "uint8"], data)
    return ApproversSet(frozenset(map(Address.parse, accounts)), needed)


_SIGNATURES: dict[EventSource, dict[str, Callable[[tuple[bytes, ...], bytes], LedgerEvent]]] = {
    EventSource.BRANDS: {
        "BrandRegistered(uint32,address,uint96)": lambda t, d: BrandRegistered(_number(t[1]), *_words(d)),
        "BrandOwnerSet(uint32,address,address)": lambda t, d: BrandOwnerSet(_number(t[1]), Address(_address(t[3]))),
        "BrandStatusSet(uint32,uint8,uint24)": lambda t, d: BrandStatusSet(_number(t[1]), *_words(d)),
        "BrandLimitSet(uint32,uint96)": lambda t, d: BrandLimitSet(_number(t[1]), *_words(d)),
        "BrandKeySet(uint32,address,uint40,uint40,bool)": lambda t, d: BrandKeySet(
            _number(t[1]), Address(_address(t[2])), _number(d[:32]), _number(d[32:64]), bool(_number(d[64:]))
        ),
        "BrandTermsSet(uint32,uint32,(uint64,uint64,uint64,uint64,uint16,uint16,uint16),uint40)": lambda t, d: BrandTermsSet(
            _number(t[1]), _number(t[2]), tuple(_words(d)[:7]), _words(d)[7]
        ),
        "ExposureSet(uint32,uint32,uint96)": lambda t, d: ExposureSet(_number(t[1]), _number(t[2]), _number(d)),
        "OwnerActed(uint32,uint64)": lambda t, d: OwnerActed(_number(t[1]), _number(d)),
    },
    EventSource.GOVERNANCE: {
        "CallScheduled(bytes32,uint256,address,uint256,bytes,bytes32,uint256)": lambda t, d: ActScheduled(Hash(t[1]), _words(d)[4]),
        "ActApproved(bytes32,address,uint40,uint40)": lambda t, d: ActApproved(Hash(t[1]), Address(_address(t[2])), _number(d[:32])),
        "CallExecuted(bytes32,uint256,address,uint256,bytes)": lambda t, d: ActExecuted(Hash(t[1])),
        "ApproversSet(address[],uint8)": lambda t, d: _approvers(d),
        "OperatorReplaced(address,address)": lambda t, d: GovernorReplaced("operator", Address(_address(t[2]))),
        "GuardianReplaced(address,address)": lambda t, d: GovernorReplaced("guardian", Address(_address(t[2]))),
        "MinDelayChange(uint256,uint256)": lambda t, d: GovernorReplaced("delay", _words(d)[1]),
    },
    EventSource.SETTLEMENT: {**SETTLEMENT_EVENTS},
    EventSource.MEMBERS: {
        "MemberEnrolled(address,uint8,bytes)": lambda t, d: MemberEnrolled(_member(t[1]), *_kind_and_authorizer(d)),
        "AuthorizerAdded(address,uint8,bytes)": lambda t, d: AuthorizerAdded(_member(t[1]), *_kind_and_authorizer(d)),
        "AuthorizerRemoved(address,bytes32)": lambda t, d: AuthorizerRemoved(_member(t[1]), Hash(d)),
        **{signature: partial(read_member_event, signature) for signature in MEMBER_EVENTS},
    },
    EventSource.POINTS: {
        "ReservationReleased(bytes32,address,uint32)": lambda t, d: ReservationReleased(ReservationId(t[1]), _member(t[2]), _number(t[3])),
        "PauseRearmed()": lambda t, d: PauseRearmed(),
        "EntryRefused(uint32,uint64,uint32,bytes4)": lambda t, d: EntryRefused(_number(t[1]), _number(t[2]), _number(d[:32]), d[32:36]),
        "BatchRecorded(uint32,uint64,bytes32,uint32,uint32)": lambda t, d: BatchRecorded(
            _number(t[1]), _number(t[2]), Hash(d[:32]), _number(d[32:64]), _number(d[64:96])
        ),
        "TransferSingle(address,address,address,uint256,uint256)": lambda t, d: PointsMoved(
            _member(t[2]), _member(t[3]), LotId(_number(d[:32])), _number(d[32:])
        ),
    },
}
_READERS = {
    (source, keccak(signature.encode())): reader for source, readers in _SIGNATURES.items() for signature, reader in readers.items()
}
