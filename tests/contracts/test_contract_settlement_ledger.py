"""The ledger and its settlement, as deployed: each names the other for good, and nobody else lowers an exposure."""

from __future__ import annotations

import pytest
from eth_keys import keys

from tests.builders.abi import contract_abi
from tests.builders.governance_acts import GUARDIAN
from tests.builders.ledger_chain import Outcome, address_of, key_of
from tests.builders.points_ledger import MEMBER_DELAY, PointsLedger, brand_key, owner_key

GROCER, FUEL = 1, 2


def test_ledger_and_settlement_name_each_other(ledger: PointsLedger) -> None:
    assert ledger.view("settlement") == "0x" + ledger.settlement.hex()
    assert ledger.view("pointsLedger") == "0x" + ledger.address.hex()


def test_a_ledger_takes_no_other_ledgers_settlement(ledger: PointsLedger) -> None:
    arguments = (ledger.governance.address, ledger.brands)
    ahead = ledger.chain.foreseen(2)
    of_members = contract_abi("Members").creation(ledger.governance.address, ledger.passkey_verifier, ahead, MEMBER_DELAY)
    members = ledger.chain.deploy(of_members)
    settlement = ledger.chain.deploy(contract_abi("Settlement").creation(*arguments, ledger.address))
    outcome = ledger.chain.send(b"", ledger.abi.creation(*arguments, members, settlement, b"EUR"))
    assert ledger.reverted(outcome) == "SettlementOfAnotherLedger"


@pytest.mark.parametrize(
    "sender",
    [key_of("operator"), GUARDIAN, owner_key(FUEL), brand_key(FUEL)],
    ids=["operator", "guardian", "owner", "batch key"],
)
def test_nobody_but_settlement_lowers_an_exposure(ledger: PointsLedger, sender: keys.PrivateKey) -> None:
    call = ledger.abi.call("lowerExposure", GROCER, FUEL, 5)
    outcome = ledger.chain.call(ledger.address, call, sender=address_of(sender))
    assert ledger.reverted(outcome) == "NotSettlement"


def test_governance_lowers_no_exposure(ledger: PointsLedger) -> None:
    """An act of it fails as its call does."""
    outcome = ledger.chain.call(ledger.address, ledger.abi.call("lowerExposure", GROCER, FUEL, 5), sender=ledger.governance.address)
    assert ledger.reverted(outcome) == "NotSettlement"


def test_settlement_lowers_and_raises_an_exposure(ledger: PointsLedger) -> None:
    for points in (5, -5):
        call = ledger.abi.call("lowerExposure", GROCER, FUEL, points)
        assert ledger.chain.call(ledger.address, call, sender=ledger.settlement).succeeded
    assert ledger.view("exposure", GROCER, FUEL) == 0, "a call changes nothing"


@pytest.mark.parametrize("sign", [1, -1])
def test_settlement_leads_an_exposure_no_further_than_its_readers_go(ledger: PointsLedger, sign: int) -> None:
    def lowered(points: int) -> Outcome:
        return ledger.chain.call(ledger.address, ledger.abi.call("lowerExposure", GROCER, FUEL, points), sender=ledger.settlement)

    assert lowered(sign * 2**62).succeeded
    assert ledger.reverted(lowered(sign * (2**62 + 1))) == "ExposureOutOfRange"
