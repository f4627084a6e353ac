"""A points ledger whose members' register grants what it is told to, beside a model that is told the same."""

from __future__ import annotations

from gateway.ledger.state import GrantRecord
from gateway.values.ids import Hash, MemberId
from tests.builders.abi import contract_abi
from tests.builders.ledger_chain import FOREVER
from tests.builders.points_ledger import MEMBER_DELAY, PointsLedger


class GrantingLedger(PointsLedger):
    def _deploy(self, utc_offset_seconds: int) -> None:
        brands, members, grants = contract_abi("Brands"), contract_abi("Members"), contract_abi("GrantingMembers")
        settlement = contract_abi("Settlement")
        self.address = self.chain.foreseen(4)
        self.brands = self.chain.deploy(brands.creation(self.governance.address, utc_offset_seconds))
        self.members = self.chain.deploy(members.creation(self.governance.address, self.passkey_verifier, self.address, MEMBER_DELAY))
        self.grants = self.chain.deploy(grants.creation(self.members, self.address))
        self.settlement = self.chain.deploy(settlement.creation(self.governance.address, self.brands, self.address))
        arguments = (self.governance.address, self.brands, self.grants, self.settlement, b"EUR")
        assert self.chain.deploy(self.abi.creation(*arguments)) == self.address
        self.contracts = [(self.address, self.abi), (self.brands, brands), (self.members, members), (self.grants, grants)]
        self.governance.target = brands

    def grant(self, giver: bytes, to: bytes, points: int) -> None:
        """`to` is a member or a brand's id in 4 bytes."""
        place = to.rjust(32, b"\0")
        self.sent("grant", giver, place, points)
        self.model.state.members[MemberId(giver)].grants[Hash(place)] = GrantRecord(points, points, points, FOREVER)

    def left(self, giver: bytes, to: bytes) -> int:
        return int(self.view("left", giver, to.rjust(32, b"\0")))
