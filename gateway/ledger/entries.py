"""Entries of a batch and their packed form: one dataclass a kind, decoded with the same strictness as the contract."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from gateway.ledger.issue_parts import AwardBasis, OpeningBasis, ShownIssue
from gateway.ledger.lots import Line
from gateway.ledger.packed_fields import MalformedEntry, PackedReader, pack_fixed, pack_lines, pack_uint
from gateway.values.ids import MemberId, Reference, ReservationId
from gateway.values.points import Points

MIN_FRAME_LENGTH = 32
ISSUE_LENGTH = 105
"""Of an opening too."""


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
    RESTORE = 11
    EXTEND = 12


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
    basis: AwardBasis
    reference: Reference


@dataclass(frozen=True, slots=True)
class Opening:
    member: MemberId
    expiry_day: int
    points: Points
    basis: OpeningBasis
    reference: Reference


@dataclass(frozen=True, slots=True)
class Clawback:
    member: MemberId
    reference: Reference
    issue: ShownIssue
    lines: tuple[Line, ...]

    @property
    def issue_reference(self) -> Reference | None:
        """With which every issue and opening ends; None where what is shown is neither."""
        return Reference(self.issue.entry[-32:]) if len(self.issue.entry) == ISSUE_LENGTH else None


@dataclass(frozen=True, slots=True)
class Restore:
    """Gives back points that were clawed back of entry `index` of a batch."""

    member: MemberId
    reference: Reference
    number: int
    index: int
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


@dataclass(frozen=True, slots=True)
class Extend:
    """Moves points of one of the brand's lots to a later one."""

    member: MemberId
    from_day: int
    to_day: int
    points: Points
    reference: Reference


Entry = Issue | Opening | Clawback | Authorize | Capture | Void | Redeem | PointRefund | Expire | Restore | Extend

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
    Restore: EntryKind.RESTORE,
    Extend: EntryKind.EXTEND,
}


def kind_of(entry: Entry) -> EntryKind:
    return _KINDS[type(entry)]


def encode_entry(entry: Entry) -> bytes:
    """The packed form, kind byte first. Raises ValueError for what does not fit its field."""
    head = bytes([kind_of(entry)])
    match entry:
        case Issue() | Opening():
            amounts = pack_uint(entry.expiry_day, 4) + pack_uint(entry.points, 8)
            return head + pack_fixed(entry.member, 20) + amounts + entry.basis.packed() + pack_fixed(entry.reference, 32)
        case Clawback():
            return head + pack_fixed(entry.member, 20) + pack_fixed(entry.reference, 32) + entry.issue.packed() + pack_lines(entry.lines)
        case Restore():
            place = pack_uint(entry.number, 8) + pack_uint(entry.index, 4)
            return head + pack_fixed(entry.member, 20) + pack_fixed(entry.reference, 32) + place + pack_lines(entry.lines)
        case Authorize() | Redeem():
            terms = pack_uint(entry.nonce, 8) + pack_uint(entry.deadline, 5) + pack_uint(entry.points, 8)
            proof = pack_uint(entry.proof.kind, 1) + pack_uint(len(entry.proof.proof), 2) + entry.proof.proof
            return head + pack_fixed(entry.member, 20) + pack_fixed(entry.reference, 32) + terms + proof + pack_lines(entry.lines)
        case Capture() | Void() | PointRefund():
            return head + pack_fixed(entry.reservation_id, 32) + pack_fixed(entry.reference, 32) + pack_lines(entry.lines)
        case Expire():
            return head + pack_fixed(entry.member, 20) + pack_uint(entry.expiry_day, 4) + pack_uint(entry.points, 16)
        case Extend():
            days = pack_uint(entry.from_day, 4) + pack_uint(entry.to_day, 4)
            return head + pack_fixed(entry.member, 20) + days + pack_uint(entry.points, 8) + pack_fixed(entry.reference, 32)


def decode_entry(data: bytes) -> Entry:
    """The entry that the contract reads from these bytes; raises MalformedEntry where the contract refuses for form."""
    if not data or not data[0]:
        raise MalformedEntry("an entry begins with its kind, from 1 on")
    reader = PackedReader(data)
    entry: Entry
    match data[0]:
        case EntryKind.ISSUE:
            entry = Issue(*reader.amount(), AwardBasis.read(reader), reader.reference())
        case EntryKind.OPENING:
            entry = Opening(*reader.amount(), OpeningBasis.read(reader), reader.reference())
        case EntryKind.CLAWBACK:
            entry = Clawback(reader.member(), reader.reference(), ShownIssue.read(reader), reader.lines())
        case EntryKind.RESTORE:
            entry = Restore(reader.member(), reader.reference(), reader.uint(8), reader.uint(4), reader.lines())
        case EntryKind.AUTHORIZE:
            entry = Authorize(*_read_consent(reader), reader.lines())
        case EntryKind.CAPTURE:
            entry = Capture(reader.reservation_id(), reader.reference(), reader.lines())
        case EntryKind.VOID:
            entry = Void(reader.reservation_id(), reader.reference(), reader.lines())
        case EntryKind.REDEEM:
            entry = Redeem(*_read_consent(reader), reader.lines())
        case EntryKind.POINT_REFUND:
            entry = PointRefund(reader.reservation_id(), reader.reference(), reader.lines())
        case EntryKind.EXPIRE:
            entry = Expire(reader.member(), reader.uint(4), Points(reader.uint(16)))
        case EntryKind.EXTEND:
            entry = Extend(reader.member(), reader.uint(4), reader.uint(4), reader.points(), reader.reference())
        case _:
            raise UnknownEntryKind(f"no kind of entry has the number {data[0]}")
    reader.finish()
    return entry


def pack_entries(entries: Iterable[bytes]) -> bytes:
    """The calldata of a batch: each entry after its two-byte length."""
    return b"".join(pack_uint(len(entry), 2) + entry for entry in entries)


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


def _read_consent(reader: PackedReader) -> tuple[MemberId, Reference, int, int, Points, ConsentProof]:
    member, reference = reader.member(), reader.reference()
    nonce, deadline, points, proof_kind = reader.uint(8), reader.uint(5), reader.points(), reader.uint(1)
    return member, reference, nonce, deadline, points, ConsentProof(proof_kind, reader.take(reader.uint(2)))
