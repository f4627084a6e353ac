"""What entries, batches and every other act cost, as contracts/README.md states it, so that nothing grows dearer unnoticed."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from eth.abc import OpcodeAPI
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.opcode import as_opcode

from gateway.ledger.entries import Issue
from tests.builders import act_gas
from tests.builders.abi import contract_abi
from tests.builders.entry_gas import batches, batches_table, by_passkey, measure, table
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import GAS_PER_TRANSACTION
from tests.builders.points_ledger import PointsLedger, member_named

NOBODYS = {  # what nobody may call, or one contract of the coalition alone; batches are measured by their entries
    "Governance": {"execute", "executeBatch", "onERC1155BatchReceived", "onERC1155Received", "onERC721Received"},
    "Members": {"spend"},
    "PointsLedger": {"lowerExposure", "submitBatch"},
}
CONTRACTS = ("Governance", "Brands", "Members", "PointsLedger", "Settlement", "Anchors")
CODECOPY, LOG4 = 0x39, 0xA4
README = Path(__file__).resolve().parents[2] / "contracts" / "README.md"
CEILINGS = {
    "issue, existing member": 9_700,
    "issue, new member": 26_800,
    "clawback, of one of 1,000 issues": 60_000,
    "clawback, further of the same issue": 50_000,
    "restore": 30_000,
    "extend, new lot": 40_000,
    "authorize": 75_000,
    "capture": 25_000,
    "void": 16_500,
    "redeem": 78_500,
    "point refund": 20_700,
    "redeem, by a passkey": 105_000,
    "redeem, under a grant to the brand, again": 79_500,
    "redeem, under a grant to a member, again": 90_000,
    "transfer": 56_500,
    "expire": 9_000,
}


@pytest.fixture(scope="module")
def measured() -> dict[str, int]:
    return measure() | by_passkey()


@pytest.fixture(scope="module")
def acts() -> dict[str, act_gas.Gas]:
    return act_gas.measure()


@pytest.mark.parametrize("kind", CEILINGS)
def test_an_entry_costs_no_more_than_it_should(measured: dict[str, int], kind: str) -> None:
    assert measured[kind] <= CEILINGS[kind]


def test_the_readme_states_what_is_measured(measured: dict[str, int]) -> None:
    assert table(measured) in README.read_text()


def test_the_readme_states_what_batches_cost_and_the_largest_fits_a_transaction() -> None:
    gas = batches()
    assert batches_table(gas) in README.read_text()
    assert gas[1_000] < GAS_PER_TRANSACTION


def test_the_express_lane_takes_no_constant_from_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled for too few runs it does so for each issue, at a sixth of the node's speed."""
    executed: Counter[int] = Counter()

    def counted(number: int, opcode: OpcodeAPI) -> OpcodeAPI:
        return as_opcode(lambda computation: (executed.update([number]), opcode(computation)), opcode.mnemonic, 0)

    for number in (CODECOPY, LOG4):
        monkeypatch.setitem(PragueComputation.opcodes, number, counted(number, PragueComputation.opcodes[number]))
    ledger = PointsLedger((1,))
    executed.clear()
    assert ledger.submit(1, [Issue(member_named(f"member {index}"), 0, 1, BASIS, bytes(32)) for index in range(100)]) == []
    assert executed == {LOG4: 100}


@pytest.mark.parametrize("whose", ["members", "owners", "governance", "guardian", "anybody"])
def test_the_readme_states_what_every_act_costs(acts: dict[str, act_gas.Gas], whose: str) -> None:
    assert act_gas.table(acts[whose]) in README.read_text()
    assert max(acts[whose].values()) < GAS_PER_TRANSACTION


def test_every_function_that_changes_state_is_measured(acts: dict[str, act_gas.Gas]) -> None:
    named = {word for gas in acts.values() for act in gas for word in re.findall(r"\w+", act)}
    missing = {(contract, name) for contract in CONTRACTS for name in _changing(contract) - NOBODYS.get(contract, set()) - named}
    assert missing == set()


def _changing(contract: str) -> set[str]:
    functions = contract_abi(contract).functions
    return {name for name, item in functions.items() if item["stateMutability"] not in ("view", "pure")}
