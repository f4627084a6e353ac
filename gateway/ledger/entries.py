"""Entries of a batch and their packed form: one dataclass a kind, decoded with the same strictness as the contract."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from gateway.ledger.lots import Line
from gateway.values.ids import MemberId, Reference, ReservationId
from gateway.values.points import Points

MAX_LINES = 16
MIN_FRAME_LENGTH = 32


class EntryKind(IntEnum):
    """Kind 0 is what a fragment of a batch counts as; it is no entry."""

    ISSUE = 1
    OPENING = 2
    CLAWBACK = 3
    AUTHORIZE = 4
    CAPTURE = 5
    VOID = 6
    REDEEM = 7
    POINT_REFUND = 8
    TRANSFER = 9
    EXPIRE = 10


class MalformedEntry(ValueError):
    """The bytes are no whole entry of a kind that the ledger format describes."""


class UnknownEntryKind(MalformedEntry):
    """The first byte names no kind of entry that is open."""


@dataclass(frozen=True, slots=True)
class ConsentProof:
    """A member's proof of consent: a 65-byte signature for kind 1, else length-prefixed authorizer and the verifier's proof."""

    kind: int
    proof: bytes


@dataclass(frozen=True, slots=True)
class Issue:
    member: MemberId
    expiry_day: int
    points: Points
    rule_version: int
    reference: Reference


@dataclass(frozen=True, slots=True)
class Opening:
    member: MemberId
    expiry_day: int
    points: Points
    rule_version: int
    reference: Reference


@dataclass(frozen=True, slots=True)
class Clawback:
    member: MemberId
    reference: Reference
    issue_reference: Reference
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Authorize:
    member: MemberId
    reference: Reference
    nonce: int
    deadline: int
    points: Points
    proof: ConsentProof
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Redeem:
    member: MemberId
    reference: Reference
    nonce: int
    deadline: int
    points: Points
    proof: ConsentProof
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    reservation_id: ReservationId
    reference: Reference
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Void:
    reservation_id: ReservationId
    reference: Reference
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class PointRefund:
    reservation_id: ReservationId
    reference: Reference
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Expire:
    member: MemberId
    expiry_day: int
    points: Points


Entry = Issue | Opening | Clawback | Authorize | Capture | Void | Redeem | PointRefund | Expire

_KINDS: dict[type[Entry], EntryKind] = {
    Issue: EntryKind.ISSUE,
    Opening: EntryKind.OPENING,
    Clawback: EntryKind.CLAWBACK,
    Authorize: EntryKind.AUTHORIZE,
    Capture: EntryKind.CAPTURE,
    Void: EntryKind.VOID,
    Redeem: EntryKind.REDEEM,
    PointRefund: EntryKind.POINT_REFUND,
    Expire: EntryKind.EXPIRE,
}


def kind_of(entry: Entry) -> EntryKind:
    return _KINDS[type(entry)]


def encode_entry(entry: Entry) -> bytes:
    """The packed form, kind byte first. Raises ValueError for what does not fit its field."""
    head = bytes([kind_of(entry)])
    match entry:
        case Issue() | Opening():
            amounts = _uint(entry.expiry_day, 4) + _uint(entry.points, 8) + _uint(entry.rule_version, 4)
            return head + _fixed(entry.member, 20) + amounts + _fixed(entry.reference, 32)
        case Clawback():
            references = _fixed(entry.reference, 32) + _fixed(entry.issue_reference, 32)
            return head + _fixed(entry.member, 20) + references + _lines(entry.lines)
        case Authorize() | Redeem():
            terms = _uint(entry.nonce, 8) + _uint(entry.deadline, 5) + _uint(entry.points, 8)
            proof = _uint(entry.proof.kind, 1) + _uint(len(entry.proof.proof), 2) + entry.proof.proof
            return head + _fixed(entry.member, 20) + _fixed(entry.reference, 32) + terms + proof + _lines(entry.lines)
        case Capture() | Void() | PointRefund():
            return head + _fixed(entry.reservation_id, 32) + _fixed(entry.reference, 32) + _lines(entry.lines)
        case Expire():
            return head + _fixed(entry.member, 20) + _uint(entry.expiry_day, 4) + _uint(entry.points, 8)


def decode_entry(data: bytes) -> Entry:
    """The entry that the contract reads from these bytes; raises MalformedEntry where the contract refuses for form."""
    if not data or not data[0]:
        raise MalformedEntry("an entry begins with its kind, from 1 on")
    reader = _Reader(data)
    entry: Entry
    match data[0]:
        case EntryKind.ISSUE:
            entry = Issue(reader.member(), reader.uint(4), reader.points(), reader.uint(4), reader.reference())
        case EntryKind.OPENING:
            entry = Opening(reader.member(), reader.uint(4), reader.points(), reader.uint(4), reader.reference())
        case EntryKind.CLAWBACK:
            entry = Clawback(reader.member(), reader.reference(), reader.reference(), reader.lines())
        case EntryKind.AUTHORIZE:
            entry = Authorize(*reader.consent(), reader.lines())
        case EntryKind.CAPTURE:
            entry = Capture(reader.reservation_id(), reader.reference(), reader.lines())
        case EntryKind.VOID:
            entry = Void(reader.reservation_id(), reader.reference(), reader.lines())
        case EntryKind.REDEEM:
            entry = Redeem(*reader.consent(), reader.lines())
        case EntryKind.POINT_REFUND:
            entry = PointRefund(reader.reservation_id(), reader.reference(), reader.lines())
        case EntryKind.EXPIRE:
            entry = Expire(reader.member(), reader.uint(4), reader.points())
        case _:
            raise UnknownEntryKind(f"no kind of entry has the number {data[0]}")
    reader.finish()
    return entry


def pack_entries(entries: Iterable[bytes]) -> bytes:
    """The calldata of a batch: each entry after its two-byte length."""
    return b"".join(_uint(len(entry), 2) + entry for entry in entries)


def unpack_entries(data: bytes) -> list[bytes]:
    """The entries of a batch in order, as the contract reads them.

    From the first frame that is too short or reaches past the end, all that is left is one fragment: an entry of kind 0.
    """
    entries: list[bytes] = []
    position = 0
    while position < len(data):
        start = position + 2
        end = start + int.from_bytes(data[position:start])
        if end > len(data) or end - position < MIN_FRAME_LENGTH:
            entries.append(b"\0" + data[position:])
            break
        entries.append(data[start:end])
        position = end
    return entries


class _Reader:
    """Takes fields off an entry from the left, after its kind byte."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 1

    def take(self, length: int) -> bytes:
        end = self._position + length
        if end > len(self._data):
            raise MalformedEntry(f"entry ends after {len(self._data)} bytes, inside a field that ends at {end}")
        field = self._data[self._position : end]
        self._position = end
        return field

    def member(self) -> MemberId:
        return MemberId(self.take(20))

    def reference(self) -> Reference:
        return Reference(self.take(32))

    def reservation_id(self) -> ReservationId:
        return ReservationId(self.take(32))

    def points(self) -> Points:
        return Points(self.uint(8))

    def uint(self, length: int) -> int:
        return int.from_bytes(self.take(length))

    def consent(self) -> tuple[MemberId, Reference, int, int, Points, ConsentProof]:
        member, reference = self.member(), self.reference()
        nonce, deadline, points, proof_kind = self.uint(8), self.uint(5), self.points(), self.uint(1)
        return member, reference, nonce, deadline, points, ConsentProof(proof_kind, self.take(self.uint(2)))

    def lines(self) -> tuple[Line, ...]:
        count = self.uint(1)
        if not 1 <= count <= MAX_LINES:
            raise MalformedEntry(f"{count} lines where 1 to {MAX_LINES} may stand")
        lines = tuple(Line(self.uint(4), self.uint(4), self.points()) for _ in range(count))
        if len({line.lot_id for line in lines}) != count:
            raise MalformedEntry("a lot stands twice in one entry")
        return lines

    def finish(self) -> None:
        if self._position != len(self._data):
            raise MalformedEntry(f"{len(self._data) - self._position} bytes left over")


def _uint(value: int, length: int) -> bytes:
    if not 0 <= value < 1 << 8 * length:
        raise ValueError(f"{value} does not fit an unsigned field of {length} bytes")
    return value.to_bytes(length)


def _fixed(value: bytes, length: int) -> bytes:
    if len(value) != length:
        raise ValueError(f"{len(value)} bytes where {length} are due")
    return value


def _lines(lines: Sequence[Line]) -> bytes:
    if not 1 <= len(lines) <= MAX_LINES:
        raise ValueError(f"{len(lines)} lines where 1 to {MAX_LINES} may stand")
    if len({line.lot_id for line in lines}) != len(lines):
        raise ValueError("a lot stands twice in one entry")
    packed = (_uint(line.brand_id, 4) + _uint(line.expiry_day, 4) + _uint(line.points, 8) for line in lines)
    return bytes([len(lines)]) + b"".join(packed)
