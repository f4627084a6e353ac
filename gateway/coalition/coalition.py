"""The facts about the one coalition of a gateway that every operation may need."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger import signing
from gateway.values.ids import Address, Hash


@dataclass(frozen=True, slots=True)
class Coalition:
    """Which coalition this is, its settlement currency and its fixed time zone, where its ledger and its governance stand, and
    who approves: as it was deployed."""

    coalition_id: Hash
    chain_id: int
    currency: str
    utc_offset_seconds: int
    sandbox: bool
    points_address: Address
    governance_address: Address
    approvers: frozenset[Address] = frozenset()
    approvals_needed: int = 1
    governance_delay_seconds: int = 0

    @property
    def governance_domain(self) -> signing.Domain:
        """What ties an approval to this coalition's governance alone."""
        return signing.Domain(self.chain_id, self.governance_address, self.coalition_id)

    @property
    def signing_domain(self) -> signing.Domain:
        """What ties a signature to this coalition's ledger alone."""
        return signing.Domain(self.chain_id, self.points_address, self.coalition_id)
