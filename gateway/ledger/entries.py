"""Entries of a batch and their packed form: one dataclass a kind, decoded with the same strictness as the contract."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from gateway.ledger.issue_parts import AwardBasis, OpeningBasis, ShownIssue
from gateway.ledger.lots import Line
from gateway.ledger.packed_fields import MalformedEntry, PackedReader, pack_fixed, pack_lines, pack_uint
from gateway.values.ids import Hash, MemberId, Reference, ReservationId
from gateway.values.points import Points

ISSUE_LENGTH = 105
"""Of an opening too."""

MAX_RESERVED = 2**56 - 1
"""So many points of a lot, and so much of a discount, the contract keeps with a reservation."""

MEMBER_GRANT = 4
BRAND_GRANT = 5
GRANTED_PROOF_LENGTH = 21


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
    """By what points may be taken. Kind 1: a 65-byte signature. 3: a length-prefixed authorizer and the verifier's proof. 4: under the
    member's grant, another member, a kind and that one's proof. 5: under a grant to the brand, nothing."""

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
    order: Hash
    nonce: int
    deadline: int
    points: Points
    discount: int  # in minor units
    proof: ConsentProof
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Redeem:
    member: MemberId
    reference: Reference
    order: Hash
    nonce: int
    deadline: int
    points: Points
    discount: int  # in minor units
    proof: ConsentProof
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    reservation_id: ReservationId
    reference: Reference
    discount: int  # in minor units: the share of these points
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
    discount: int  # in minor units: the share of these points
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Transfer:
    """Signed by both sides; `giver` is whose points they were."""

    giver: MemberId
    taker: MemberId
    nonce: int
    deadline: int
    giver_proof: ConsentProof
    taker_proof: ConsentProof
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


Entry = Issue | Opening | Clawback | Authorize | Capture | Void | Redeem | PointRefund | Transfer | Expire | Restore | Extend

_KINDS: dict[type[Entry], EntryKind] = {
    Issue: EntryKind.ISSUE,
    Opening: EntryKind.OPENING,
    Clawback: EntryKind.CLAWBACK,
    Authorize: EntryKind.AUTHORIZE,
    Capture: EntryKind.CAPTURE,
    Void: EntryKind.VOID,
    Redeem: EntryKind.REDEEM,
    PointRefund: EntryKind.POINT_REFUND,
    Transfer: EntryKind.TRANSFER,
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
            order = pack_fixed(entry.reference, 32) + pack_fixed(entry.order, 32)
            terms = pack_uint(entry.nonce, 8) + pack_uint(entry.deadline, 5) + pack_uint(entry.points, 8) + _discount(entry.discount)
            return head + pack_fixed(entry.member, 20) + order + terms + _proof(entry.proof) + pack_lines(entry.lines)
        case Capture() | PointRefund():
            ids = pack_fixed(entry.reservation_id, 32) + pack_fixed(entry.reference, 32)
            return head + ids + pack_uint(entry.discount, 8) + pack_lines(entry.lines)
        case Void():
            return head + pack_fixed(entry.reservation_id, 32) + pack_fixed(entry.reference, 32) + pack_lines(entry.lines)
        case Transfer():
            terms = pack_uint(entry.nonce, 8) + pack_uint(entry.deadline, 5)
            proofs = _proof(entry.giver_proof) + _proof(entry.taker_proof)
            return head + pack_fixed(entry.giver, 20) + pack_fixed(entry.taker, 20) + terms + proofs + pack_lines(entry.lines)
        case Expire():
            return head + pack_fixed(entry.member, 20) + pack_uint(entry.expiry_day, 4) + pack_uint(entry.points, 16)
        case Extend():
            days = pack_uint(entry.from_day, 4) + pack_uint(entry.to_day, 4)
            return head + pack_fixed(entry.member, 20) + days + pack_uint(entry.points, 8) + pack_fixed(entry.reference, 32)


def decode_entry(data: bytes) -> Entry:
    """The entry that the contract reads from these bytes; raises MalformedEntry where the contract refuses for form."""
    return _decoded(data) if len(data) <= 256 else _decoded.__wrapped__(data)  # many long ones would fill the memory


@lru_cache(8_192)  # packing, signing, sending and following a batch each read its entries
def _decoded(data: bytes) -> Entry:
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
            entry = Capture(reader.reservation_id(), reader.reference(), reader.uint(8), reader.lines())
        case EntryKind.VOID:
            entry = Void(reader.reservation_id(), reader.reference(), reader.lines())
        case EntryKind.REDEEM:
            entry = Redeem(*_read_consent(reader), reader.lines())
        case EntryKind.POINT_REFUND:
            entry = PointRefund(reader.reservation_id(), reader.reference(), reader.uint(8), reader.lines())
        case EntryKind.TRANSFER:
            sides = (reader.member(), reader.member(), reader.uint(8), reader.uint(5))
            entry = Transfer(*sides, _read_proof(reader), _read_proof(reader), reader.lines())
        case EntryKind.EXPIRE:
            entry = Expire(reader.member(), reader.uint(4), Points(reader.uint(16)))
        case EntryKind.EXTEND:
            entry = Extend(reader.member(), reader.uint(4), reader.uint(4), reader.points(), reader.reference())
        case _:
            raise UnknownEntryKind(f"no kind of entry has the number {data[0]}")
    reader.finish()
    return entry


def _proof(proof: ConsentProof) -> bytes:
    return pack_uint(proof.kind, 1) + pack_uint(len(proof.proof), 2) + proof.proof


def _discount(discount: int) -> bytes:
    if discount > MAX_RESERVED:
        raise ValueError(f"a discount of {discount} is beyond what the ledger keeps")
    return pack_uint(discount, 8)


def _read_proof(reader: PackedReader) -> ConsentProof:
    return ConsentProof(reader.uint(1), reader.take(reader.uint(2)))


def _read_consent(reader: PackedReader) -> tuple[MemberId, Reference, Hash, int, int, Points, int, ConsentProof]:
    ids = (reader.member(), reader.reference(), reader.word())
    terms = (reader.uint(8), reader.uint(5), reader.points())
    discount, proof = reader.uint(8), _read_proof(reader)
    if discount > MAX_RESERVED:
        raise MalformedEntry(f"a discount of {discount} is beyond what the ledger keeps")
    if proof.kind == MEMBER_GRANT and len(proof.proof) < GRANTED_PROOF_LENGTH:
        raise MalformedEntry("another member's grant names the member and the kind of its proof")
    if proof.kind == BRAND_GRANT and proof.proof:
        raise MalformedEntry("a grant to the brand has no proof")
    return (*ids, *terms, discount, proof)
