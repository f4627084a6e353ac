"""Governance over brands with owners that a stand-in for the ledger keeps."""

from __future__ import annotations

from typing import Any

from gateway.values.calendar import SECONDS_PER_DAY
from tests.builders.abi import contract_abi
from tests.builders.governance_acts import DELAY, GUARDIAN, STRANGER, Act, Governance
from tests.builders.ledger_chain import ETHER, LedgerChain, address_of, key_of

__all__ = ["ACT_LIFETIME", "DELAY", "FUEL", "GROCER", "GUARDIAN", "OWNERS", "STRANGER", "Act", "GovernedBrands"]

ACT_LIFETIME = 30 * SECONDS_PER_DAY
GROCER, FUEL = 1, 2
OWNERS = {GROCER: key_of("the grocer"), FUEL: key_of("the fuel station")}


class GovernedBrands(Governance):
    """Brands 1 and 2 with their owners."""

    target = contract_abi("OwnedBrands")

    def __init__(self, *, delay: int = DELAY, sandbox: bool = False, threshold: int = 2) -> None:
        super().__init__(LedgerChain(), delay=delay, sandbox=sandbox, threshold=threshold)
        owners = [address_of(OWNERS[brand]) for brand in (GROCER, FUEL)]
        self.brands = self.chain.deploy(self.target.creation(self.address, owners))
        for key in (GUARDIAN, *self.approvers):
            assert self.chain.send(address_of(key), b"", value=ETHER).succeeded

    def limit(self, brand: int = GROCER, points: int = 5) -> Act:
        return Act(((self.brands, 0, self.target.call("setBrandLimit", brand, points)),))

    def new_owner(self, brand: int = GROCER, owner: bytes = address_of(key_of("successor"))) -> Act:
        return Act(((self.brands, 0, self.target.call("setBrandOwner", brand, owner)),))

    def owner(self, brand: int) -> bytes:
        return bytes.fromhex(self._brand_view("brandOwner", brand)[2:])

    def limit_of(self, brand: int) -> int:
        return int(self._brand_view("limit", brand))

    def _brand_view(self, function: str, brand: int) -> Any:
        outcome = self.chain.call(self.brands, self.target.call(function, brand))
        return self.target.answer(function, outcome.output)
