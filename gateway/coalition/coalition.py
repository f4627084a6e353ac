"""The facts about the one coalition of a gateway that every operation may need."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger import signing
from gateway.values.ids import Address, Hash


@dataclass(frozen=True, slots=True)
class Coalition:
    """Which coalition this is, its settlement currency and its fixed time zone, where its contracts stand, and who governs:
    as it is now."""

    coalition_id: Hash
    chain_id: int
    currency: str
    utc_offset_seconds: int
    sandbox: bool
    governance_address: Address
    brands_address: Address
    members_address: Address
    settlement_address: Address
    anchors_address: Address
    points_address: Address
    member_delay_seconds: int = 0
    approvers: frozenset[Address] = frozenset()
    approvals_needed: int = 1
    governance_delay_seconds: int = 0
    guardian: Address | None = None

    @property
    def governance_domain(self) -> signing.Domain:
        """What ties an approval to this coalition's governance alone."""
        return self._domain(self.governance_address)

    @property
    def brands_domain(self) -> signing.Domain:
        """What ties an act of a brand's owner to this coalition alone."""
        return self._domain(self.brands_address)

    @property
    def members_domain(self) -> signing.Domain:
        """What ties a change of a member's authorizers to this coalition alone."""
        return self._domain(self.members_address)

    @property
    def signing_domain(self) -> signing.Domain:
        """What ties a batch or a consent to this coalition's ledger alone."""
        return self._domain(self.points_address)

    def _domain(self, contract: Address) -> signing.Domain:
        return signing.Domain(self.chain_id, contract, self.coalition_id)
