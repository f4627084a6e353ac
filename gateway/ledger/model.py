"""A plain-Python model of the points ledger: the same entries give the same effects and refusals as the contract.

Each kind reads alike: the contract's checks in the contract's order, then the effect; nothing is written before the last check.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ledger.batches import batch_outcome, batch_record, entries_root
from gateway.ledger.brand_states import BrandState
from gateway.ledger.effects import Effect, Refused
from gateway.ledger.entries import (
    Authorize,
    Capture,
    Clawback,
    Entry,
    Expire,
    Extend,
    Issue,
    Opening,
    PointRefund,
    Redeem,
    Restore,
    Transfer,
    UnknownEntryKind,
    Void,
    decode_entry,
)
from gateway.ledger.members import AuthorizerKind, authorizer_id, member_id
from gateway.ledger.model_base import Skip
from gateway.ledger.model_issuing import IssuingModel
from gateway.ledger.model_spending import SpendingModel
from gateway.ledger.packed_fields import MalformedEntry
from gateway.ledger.proofs import Proofs, Recover, Verify, no_verifiers
from gateway.ledger.refusals import SELECTORS, RefusalReason
from gateway.ledger.signing import Domain
from gateway.ledger.state import BrandRecord, MemberRecord
from gateway.ledger.terms import LedgerTerms
from gateway.values.ids import Hash, MemberId


class LedgerModel(IssuingModel, SpendingModel):
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
        outcome = batch_outcome(len(entries), selectors)
        self.state.batches[brand, number] = outcome
        self.state.records[brand, number] = batch_record(entries_root(entries), outcome)
        return refusals

    def apply_entry(self, brand: int, data: bytes, timestamp: int) -> Effect | Refused:
        """Applies one packed entry of a batch of `brand` in a block with this timestamp."""
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
            case Issue() | Opening():
                return self._issue(brand, entry, timestamp)
            case Clawback():
                return self._claw_back(brand, entry)
            case Restore():
                return self._restore(brand, entry, timestamp)
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
            case Extend():
                return self._extend(brand, entry, timestamp)
