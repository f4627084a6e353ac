"""A plain-Python model of the points ledger: the same entries give the same effects and refusals as the contract.

Each kind reads alike: the contract's checks in the contract's order, then the effect; nothing is written before the last check.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ledger.batches import batch_outcome
from gateway.ledger.brand_states import BrandState
from gateway.ledger.effects import Effect, Movement, Refused
from gateway.ledger.entries import (
    Authorize,
    Capture,
    Clawback,
    Entry,
    EntryKind,
    Expire,
    Issue,
    Opening,
    PointRefund,
    Redeem,
    Transfer,
    UnknownEntryKind,
    Void,
    decode_entry,
)
from gateway.ledger.lots import lot_id as lot_id_of
from gateway.ledger.members import AuthorizerKind, authorizer_id, member_id
from gateway.ledger.model_base import Skip, require
from gateway.ledger.model_spending import SpendingModel
from gateway.ledger.packed_fields import MalformedEntry
from gateway.ledger.proofs import Proofs, Recover, Verify, no_verifiers
from gateway.ledger.refusals import SELECTORS, RefusalReason
from gateway.ledger.signing import Domain
from gateway.ledger.state import BrandRecord, MemberRecord
from gateway.ledger.terms import LedgerTerms
from gateway.values.calendar import is_month_end
from gateway.values.ids import Hash, MemberId

NOT_OPEN = (bytes([EntryKind.OPENING]),)


class LedgerModel(SpendingModel):
    """Applies entries to a `LedgerState`; construct it afresh and replay the ledger's batches in block order."""

    def __init__(self, domain: Domain, utc_offset_seconds: int, recover: Recover, verify: Verify = no_verifiers) -> None:
        super().__init__(domain, utc_offset_seconds, Proofs(recover, verify))

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

    def set_brand_terms(self, brand: int, terms: LedgerTerms, timestamp: int) -> None:
        self.state.brands[brand].terms.set(terms, timestamp)

    def set_exposure(self, brand: int, issuer: int, most: int) -> None:
        self.state.brands[brand].exposure_limits[issuer] = most

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
        if any(remove_id) or record.authorizers.get(signed_by) == AuthorizerKind.CLAIM_KEY:
            del record.authorizers[signed_by]
        record.acts += 1

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
        except Skip as skip:
            return Refused(skip.reason, entry)
        for movement in effect.movements:
            self.state.move(movement)
        for change in effect.owed:
            self.state.owe(change)
        return effect

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
            case Transfer():
                return self._transfer(brand, entry, timestamp)
            case Expire():
                return self._expire(brand, entry, timestamp)

    def _issue(self, brand: int, entry: Issue, timestamp: int) -> Effect:
        record = self.state.brands[brand]
        require(record.status is BrandState.ACTIVE, RefusalReason.BRAND_NOT_ACTIVE)
        require(any(entry.member), RefusalReason.ZERO_MEMBER)
        require(entry.points > 0, RefusalReason.ZERO_POINTS)
        require(entry.expiry_day == 0 or is_month_end(entry.expiry_day), RefusalReason.EXPIRY_NOT_MONTH_END)
        require(not self._expired(entry.expiry_day, timestamp), RefusalReason.LOT_EXPIRED)
        require(record.outstanding + entry.points <= record.limit, RefusalReason.LIMIT_EXCEEDED)
        lot = lot_id_of(brand, entry.expiry_day)
        self.state.lots[lot].issued += entry.points
        return Effect(entry, entry.member, (Movement(entry.member, lot, entry.points, 0),))

    def _claw_back(self, brand: int, entry: Clawback) -> Effect:
        require(self.state.brands[brand].status is not BrandState.IN_DEFAULT, RefusalReason.BRAND_IN_DEFAULT)
        for line in entry.lines:
            require(line.points > 0, RefusalReason.ZERO_POINTS)
            require(line.brand_id == brand, RefusalReason.NOT_OWN_LOT)
            require(self.state.unreserved(entry.member, line.lot_id) >= line.points, RefusalReason.NOT_ENOUGH_POINTS)
        for line in entry.lines:
            self.state.lots[line.lot_id].clawed_back += line.points
        return Effect(entry, entry.member, tuple(Movement(entry.member, line.lot_id, -line.points, 0) for line in entry.lines))

    def _expire(self, brand: int, entry: Expire, timestamp: int) -> Effect:
        require(self.state.brands[brand].status is not BrandState.IN_DEFAULT, RefusalReason.BRAND_IN_DEFAULT)
        require(self._expired(entry.expiry_day, timestamp), RefusalReason.LOT_NOT_EXPIRED)
        require(entry.points > 0, RefusalReason.ZERO_POINTS)
        lot = lot_id_of(brand, entry.expiry_day)
        require(entry.points == self.state.unreserved(entry.member, lot), RefusalReason.POINTS_MISMATCH)
        self.state.lots[lot].expired += entry.points
        return Effect(entry, entry.member, (Movement(entry.member, lot, -entry.points, 0),))
