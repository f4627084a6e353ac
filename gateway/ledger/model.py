"""A plain-Python model of the points ledger: the same entries give the same effects and refusals as the contract.

Each kind reads alike: the contract's checks in the contract's order, then the effect; nothing is written before the last check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.ledger.batches import batch_outcome
from gateway.ledger.brand_states import ACCEPTING, BrandState
from gateway.ledger.effects import Effect, Movement, OwedChange, Refused
from gateway.ledger.entries import (
    Authorize,
    Capture,
    Clawback,
    Entry,
    EntryKind,
    Expire,
    Issue,
    MalformedEntry,
    Opening,
    PointRefund,
    Redeem,
    UnknownEntryKind,
    Void,
    decode_entry,
)
from gateway.ledger.lots import Line, grace_expiry_day, is_expired
from gateway.ledger.lots import lot_id as lot_id_of
from gateway.ledger.members import AuthorizerKind, authorizer_id, member_id
from gateway.ledger.refusals import SELECTORS, RefusalReason
from gateway.ledger.signing import Domain, consent_digest
from gateway.ledger.state import BrandRecord, LedgerState, MemberRecord, ReservationRecord, ReservationState, ReservedLot
from gateway.values.calendar import SECONDS_PER_DAY, is_month_end, local_day
from gateway.values.ids import Hash, MemberId, ReservationId

MAX_CONSENT_SECONDS = 7 * SECONDS_PER_DAY
NOT_OPEN = (bytes([EntryKind.OPENING]), bytes([EntryKind.TRANSFER]))

Recover = Callable[[bytes, bytes], bytes | None]
"""(digest, 65-byte signature) → the signer's 20-byte address, or None where the contract's ECDSA refuses the signature."""

Verify = Callable[[int, bytes, bytes, bytes], bool]
"""(authorizer kind, digest, authorizer, proof) → whether the verifier contract of that kind accepts the proof."""


def no_verifiers(kind: int, digest: bytes, authorizer: bytes, proof: bytes) -> bool:
    """A ledger on which no verifier is registered."""
    return False


class LedgerModel:
    """Applies entries to a `LedgerState`; construct it afresh and replay the ledger's batches in block order."""

    def __init__(self, domain: Domain, utc_offset_seconds: int, recover: Recover, verify: Verify = no_verifiers) -> None:
        self.domain = domain
        self.utc_offset_seconds = utc_offset_seconds
        self.state = LedgerState()
        self._recover = recover
        self._verify = verify

    # Registers

    def register_brand(self, brand: int, limit: int) -> None:
        if brand in self.state.brands:
            raise ValueError(f"brand {brand} is registered")
        self.state.brands[brand] = BrandRecord(BrandState.ACTIVE, limit)

    def set_brand_status(self, brand: int, status: int, last_day: int = 0) -> None:
        record = self.state.brands[brand]
        record.status, record.last_day = BrandState(status), last_day

    def set_brand_limit(self, brand: int, limit: int) -> None:
        self.state.brands[brand].limit = limit

    def enroll(self, kind: int, authorizer: bytes, salt: bytes) -> MemberId:
        """The member's id; enrolling again changes nothing."""
        member = member_id(self.domain.coalition_id, kind, authorizer, salt)
        if member not in self.state.members:
            self.state.members[member] = MemberRecord({authorizer_id(kind, authorizer): kind})
        return member

    def change_authorizers(self, member: MemberId, add_kind: int, add_authorizer: bytes, remove_id: Hash, *, signed_by: Hash) -> None:
        """A change that the contract accepted, by the authorizer with the id `signed_by`."""
        record = self.state.members[member]
        if add_kind:
            record.authorizers[authorizer_id(add_kind, add_authorizer)] = add_kind
        if any(remove_id):
            del record.authorizers[remove_id]
        if record.authorizers.get(signed_by) == AuthorizerKind.CLAIM_KEY:
            del record.authorizers[signed_by]
        record.changes += 1

    # Batches

    def apply_batch(self, brand: int, number: int, entries: Sequence[bytes], timestamp: int) -> list[tuple[int, RefusalReason]]:
        """Applies a batch that the contract accepted as a whole; returns the refused entries, as (index, reason)."""
        if (brand, number) in self.state.batches:
            raise ValueError(f"batch {number} of brand {brand} is applied")
        refusals: list[tuple[int, RefusalReason]] = []
        for index, entry in enumerate(entries):
            result = self.apply_entry(brand, entry, timestamp)
            if isinstance(result, Refused):
                refusals.append((index, result.reason))
        selectors = ((index, SELECTORS[reason]) for index, reason in refusals)
        self.state.batches[brand, number] = batch_outcome(len(entries), selectors)
        return refusals

    def apply_entry(self, brand: int, data: bytes, timestamp: int) -> Effect | Refused:
        """Applies one packed entry of a batch of `brand` in a block with this timestamp."""
        if data[:1] in NOT_OPEN:
            return Refused(RefusalReason.UNKNOWN_ENTRY_KIND, None)
        entry: Entry | None = None
        try:
            entry = decode_entry(data)
            effect = self._transition(brand, entry, timestamp)
        except UnknownEntryKind:
            return Refused(RefusalReason.UNKNOWN_ENTRY_KIND, None)
        except MalformedEntry:
            return Refused(RefusalReason.MALFORMED_ENTRY, None)
        except _Skip as skip:
            return Refused(skip.reason, entry)
        for movement in effect.movements:
            self.state.move(movement)
        for change in effect.owed:
            self.state.owe(change)
        return effect

    def accepts(self, brand: int, timestamp: int) -> bool:
        """Whether the brand accepts points in a block with this timestamp, and others accept the brand's."""
        return self.state.brands[brand].state_on(local_day(timestamp, self.utc_offset_seconds)) in ACCEPTING

    def _transition(self, brand: int, entry: Entry, timestamp: int) -> Effect:
        match entry:
            case Issue():
                return self._issue(brand, entry, timestamp)
            case Opening():
                raise AssertionError("a kind that is not open was let through")
            case Clawback():
                return self._claw_back(brand, entry)
            case Authorize() | Redeem():
                return self._authorize(brand, entry, timestamp)
            case Capture():
                return self._capture(brand, entry, timestamp)
            case Void():
                return self._void(brand, entry, timestamp)
            case PointRefund():
                return self._refund(brand, entry, timestamp)
            case Expire():
                return self._expire(brand, entry, timestamp)

    def _issue(self, brand: int, entry: Issue, timestamp: int) -> Effect:
        record = self.state.brands[brand]
        _require(record.status is BrandState.ACTIVE, RefusalReason.BRAND_NOT_ACTIVE)
        _require(any(entry.member), RefusalReason.ZERO_MEMBER)
        _require(entry.points > 0, RefusalReason.ZERO_POINTS)
        _require(entry.expiry_day == 0 or is_month_end(entry.expiry_day), RefusalReason.EXPIRY_NOT_MONTH_END)
        _require(not self._expired(entry.expiry_day, timestamp), RefusalReason.LOT_EXPIRED)
        _require(record.outstanding + entry.points <= record.limit, RefusalReason.LIMIT_EXCEEDED)
        lot = lot_id_of(brand, entry.expiry_day)
        self.state.lots[lot].issued += entry.points
        return Effect(entry, entry.member, (Movement(entry.member, lot, entry.points, 0),))

    def _claw_back(self, brand: int, entry: Clawback) -> Effect:
        _require(self.state.brands[brand].status is not BrandState.IN_DEFAULT, RefusalReason.BRAND_IN_DEFAULT)
        for line in entry.lines:
            _require(line.points > 0, RefusalReason.ZERO_POINTS)
            _require(line.brand_id == brand, RefusalReason.NOT_OWN_LOT)
            _require(self.state.unreserved(entry.member, line.lot_id) >= line.points, RefusalReason.NOT_ENOUGH_POINTS)
        for line in entry.lines:
            self.state.lots[line.lot_id].clawed_back += line.points
        return Effect(entry, entry.member, tuple(Movement(entry.member, line.lot_id, -line.points, 0) for line in entry.lines))

    def _authorize(self, brand: int, entry: Authorize | Redeem, timestamp: int) -> Effect:
        _require(self.accepts(brand, timestamp), RefusalReason.BRAND_NOT_ACCEPTING)
        _require(entry.deadline >= timestamp, RefusalReason.CONSENT_EXPIRED)
        _require(entry.deadline <= timestamp + MAX_CONSENT_SECONDS, RefusalReason.CONSENT_TOO_LONG)
        digest = consent_digest(self.domain, entry.member, brand, entry.points, entry.reference, entry.nonce, entry.deadline)
        _require(digest not in self.state.reservations, RefusalReason.CONSENT_USED)
        for line in entry.lines:
            _require(line.points > 0, RefusalReason.ZERO_POINTS)
            _require(not self._expired(line.expiry_day, timestamp), RefusalReason.LOT_EXPIRED)
            _require(self.state.unreserved(entry.member, line.lot_id) >= line.points, RefusalReason.NOT_ENOUGH_POINTS)
            _require(self.accepts(line.brand_id, timestamp), RefusalReason.POINTS_NOT_ACCEPTED)
        _require(sum(line.points for line in entry.lines) == entry.points, RefusalReason.POINTS_MISMATCH)
        self._require_consent(entry, digest)

        at_once = isinstance(entry, Redeem)
        state = ReservationState.CAPTURED if at_once else ReservationState.OPEN
        lots = {line.lot_id: ReservedLot(line.points, line.points if at_once else 0) for line in entry.lines}
        self.state.reservations[digest] = ReservationRecord(entry.member, brand, entry.deadline, state, lots)
        if not at_once:
            movements = tuple(Movement(entry.member, line.lot_id, 0, line.points) for line in entry.lines)
            return Effect(entry, entry.member, movements, reservation_id=digest)
        for line in entry.lines:
            self.state.lots[line.lot_id].redeemed += line.points
        movements = tuple(Movement(entry.member, line.lot_id, -line.points, 0) for line in entry.lines)
        return Effect(entry, entry.member, movements, _owed(entry.lines, brand, 1), digest)

    def _require_consent(self, entry: Authorize | Redeem, digest: ReservationId) -> None:
        kind, proof = entry.proof.kind, entry.proof.proof
        if kind == AuthorizerKind.KEY:
            signer = self._recover(digest, proof) if len(proof) == 65 else None
            if signer is None:
                raise _Skip(RefusalReason.CONSENT_INVALID)
            authorizer = signer
        else:
            _require(kind == AuthorizerKind.PASSKEY and len(proof) >= 2, RefusalReason.CONSENT_INVALID)
            end = 2 + int.from_bytes(proof[:2])
            _require(end <= len(proof), RefusalReason.CONSENT_INVALID)
            authorizer = proof[2:end]
        record = self.state.members.get(entry.member)
        known = record is not None and authorizer_id(kind, authorizer) in record.authorizers
        _require(known, RefusalReason.NOT_AN_AUTHORIZER)
        if kind == AuthorizerKind.PASSKEY:
            _require(self._verify(kind, digest, authorizer, proof[end:]), RefusalReason.CONSENT_INVALID)

    def _capture(self, brand: int, entry: Capture, timestamp: int) -> Effect:
        reservation = self._reservation(entry.reservation_id)
        _require(reservation.brand_id == brand, RefusalReason.NOT_ACCEPTING_BRAND)
        _require(reservation.state == ReservationState.OPEN, RefusalReason.RESERVATION_CLOSED)
        _require(timestamp <= reservation.deadline, RefusalReason.DEADLINE_PASSED)
        _require(len(entry.lines) == len(reservation.lots), RefusalReason.LINES_MISMATCH)
        for line in entry.lines:
            _require(line.lot_id in reservation.lots, RefusalReason.LINES_MISMATCH)
            _require(line.points <= reservation.lots[line.lot_id].authorized, RefusalReason.TOO_MANY_POINTS)
        _require(any(line.points for line in entry.lines), RefusalReason.ZERO_POINTS)
        movements = []
        for line in entry.lines:
            lot = reservation.lots[line.lot_id]
            lot.captured = line.points
            self.state.lots[line.lot_id].redeemed += line.points
            movements.append(Movement(reservation.member, line.lot_id, -line.points, -lot.authorized))
        reservation.state = ReservationState.CAPTURED
        owed = _owed(entry.lines, brand, 1)
        return Effect(entry, reservation.member, tuple(movements), owed, entry.reservation_id)

    def _void(self, brand: int, entry: Void, timestamp: int) -> Effect:
        reservation = self._reservation(entry.reservation_id)
        _require(reservation.brand_id == brand or timestamp > reservation.deadline, RefusalReason.NOT_ACCEPTING_BRAND)
        _require(reservation.state == ReservationState.OPEN, RefusalReason.RESERVATION_CLOSED)
        named = {line.lot_id: line.points for line in entry.lines}
        _require(named == {lot: part.authorized for lot, part in reservation.lots.items()}, RefusalReason.LINES_MISMATCH)
        reservation.state = ReservationState.VOIDED
        movements = tuple(Movement(reservation.member, line.lot_id, 0, -line.points) for line in entry.lines)
        return Effect(entry, reservation.member, movements, reservation_id=entry.reservation_id)

    def _refund(self, brand: int, entry: PointRefund, timestamp: int) -> Effect:
        reservation = self._reservation(entry.reservation_id)
        _require(reservation.brand_id == brand, RefusalReason.NOT_ACCEPTING_BRAND)
        for line in entry.lines:
            _require(line.points > 0, RefusalReason.ZERO_POINTS)
            lot = reservation.lots.get(line.lot_id)
            left = lot.captured - lot.refunded if lot else 0
            _require(line.points <= left, RefusalReason.TOO_MANY_POINTS)
        movements = []
        for line in entry.lines:
            reservation.lots[line.lot_id].refunded += line.points
            destination = line.lot_id
            if self._expired(line.expiry_day, timestamp):
                destination = lot_id_of(line.brand_id, grace_expiry_day(timestamp, self.utc_offset_seconds))
            self.state.lots[destination].refunded += line.points
            movements.append(Movement(reservation.member, destination, line.points, 0))
        owed = _owed(entry.lines, brand, -1)
        return Effect(entry, reservation.member, tuple(movements), owed, entry.reservation_id)

    def _expire(self, brand: int, entry: Expire, timestamp: int) -> Effect:
        _require(self.state.brands[brand].status is not BrandState.IN_DEFAULT, RefusalReason.BRAND_IN_DEFAULT)
        _require(self._expired(entry.expiry_day, timestamp), RefusalReason.LOT_NOT_EXPIRED)
        _require(entry.points > 0, RefusalReason.ZERO_POINTS)
        lot = lot_id_of(brand, entry.expiry_day)
        _require(entry.points == self.state.unreserved(entry.member, lot), RefusalReason.POINTS_MISMATCH)
        self.state.lots[lot].expired += entry.points
        return Effect(entry, entry.member, (Movement(entry.member, lot, -entry.points, 0),))

    def _reservation(self, reservation_id: ReservationId) -> ReservationRecord:
        reservation = self.state.reservations.get(reservation_id)
        if reservation is None:
            raise _Skip(RefusalReason.UNKNOWN_RESERVATION)
        return reservation

    def _expired(self, expiry_day: int, timestamp: int) -> bool:
        return is_expired(expiry_day, timestamp, self.utc_offset_seconds)


class _Skip(Exception):  # a refusal on its way out, never seen by callers
    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def _require(condition: bool, reason: RefusalReason) -> None:
    if not condition:
        raise _Skip(reason)


def _owed(lines: Sequence[Line], acceptor: int, sign: int) -> tuple[OwedChange, ...]:
    """What other issuers owe the accepting brand more (sign 1) or less (sign -1) by these lines."""
    return tuple(OwedChange(line.brand_id, acceptor, sign * line.points) for line in lines if line.brand_id != acceptor and line.points)
