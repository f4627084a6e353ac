"""What every part of the ledger's model stands on: its state, its calendar, and refusals on their way out."""

from __future__ import annotations

from gateway.ledger.brand_states import ACCEPTING
from gateway.ledger.lots import Line, grace_expiry_day, is_expired, lot_id
from gateway.ledger.proofs import Proofs
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.signing import Domain
from gateway.ledger.state import LedgerState
from gateway.values.calendar import local_day
from gateway.values.ids import LotId


class Skip(Exception):
    """An entry is refused; never seen by callers of the model."""

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def require(condition: bool, reason: RefusalReason) -> None:
    if not condition:
        raise Skip(reason)


class ModelBase:
    """Each kind of entry reads alike: the contract's checks in the contract's order, then the effect."""

    def __init__(self, domain: Domain, utc_offset_seconds: int, proofs: Proofs) -> None:
        self.domain = domain
        self.utc_offset_seconds = utc_offset_seconds
        self.state = LedgerState()
        self.proofs = proofs

    def accepts(self, brand: int, timestamp: int) -> bool:
        """Whether the brand accepts points in a block with this timestamp, and others accept the brand's."""
        return self.state.brands[brand].state_on(self._day(timestamp)) in ACCEPTING

    def _day(self, timestamp: int) -> int:
        return local_day(timestamp, self.utc_offset_seconds)

    def _expired(self, expiry_day: int, timestamp: int) -> bool:
        return is_expired(expiry_day, timestamp, self.utc_offset_seconds)

    def _lot_or_grace(self, line: Line, timestamp: int) -> LotId:
        """Where points of a lot come back to."""
        return self._grace_lot(line.brand_id, timestamp) if self._expired(line.expiry_day, timestamp) else line.lot_id

    def _grace_lot(self, issuer: int, timestamp: int) -> LotId:
        return lot_id(issuer, grace_expiry_day(timestamp, self.utc_offset_seconds))
