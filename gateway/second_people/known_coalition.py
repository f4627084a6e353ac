"""A coalition as a second person knows it: its id, its chain, where its contracts stand, and what every act waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.chain.artifacts import Artifact, contract_named
from gateway.ledger.signing import Domain
from gateway.values.ids import Address, Hash

# The gateway's name of an address → the contract that stands there.
_NAMED = {
    "governance_address": "Governance",
    "brands_address": "Brands",
    "points_address": "PointsLedger",
    "members_address": "Members",
    "settlement_address": "Settlement",
    "anchors_address": "Anchors",
}
CONTRACTS = tuple(_NAMED.values())


@dataclass(frozen=True, slots=True)
class KnownCoalition:
    """`contracts` by the name of their artifact; `delay_seconds` is what every act waits at least."""

    coalition_id: Hash
    chain_id: int
    sandbox: bool
    delay_seconds: int
    contracts: Mapping[str, Address]

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> KnownCoalition:
        """From `GET /v1/coalition`, or from what was kept of it."""
        contracts = {contract: Address.parse(told[name]) for name, contract in _NAMED.items() if told.get(name)}
        return cls(
            Hash.parse(told["coalition_id"]), int(told["chain_id"]), bool(told["sandbox"]), int(told["governance_delay_seconds"]), contracts
        )

    def as_json(self) -> dict[str, Any]:
        """As the gateway tells it."""
        addresses = {name: str(self.contracts[contract]) for name, contract in _NAMED.items() if contract in self.contracts}
        facts = {"coalition_id": str(self.coalition_id), "chain_id": self.chain_id, "sandbox": self.sandbox}
        return {**facts, "governance_delay_seconds": self.delay_seconds, **addresses}

    @property
    def identity(self) -> tuple[Any, ...]:
        """What never changes of a coalition; its delay may, by an act."""
        return self.coalition_id, self.chain_id, self.sandbox, dict(self.contracts)

    def domain(self, contract: str) -> Domain:
        """What ties a signature to this coalition's contract alone."""
        return Domain(self.chain_id, self.contracts[contract], self.coalition_id)

    def artifact_at(self, address: Address) -> Artifact | None:
        """The contract that stands at this address; None for an address of nobody's."""
        return next((contract_named(name) for name, at in self.contracts.items() if at == address), None)
