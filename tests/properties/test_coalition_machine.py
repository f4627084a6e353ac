"""Every act of a coalition at random, on all its contracts against the models: after every step the invariants hold."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from gateway.ledger.entries import Entry
from gateway.ledger.refusals import RefusalReason
from tests.builders.coalition_machine import CoalitionMachine
from tests.builders.ledger_chain import GAS_PER_TRANSACTION
from tests.builders.recording_chain import FUNCTIONS
from tests.depth import in_a_soak

USUAL = settings(stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
SEEDED = settings(USUAL, max_examples=10, stateful_step_count=20, derandomize=True, database=None, phases=[Phase.generate])
DEEP = settings(USUAL, max_examples=in_a_soak(400, 20))
BY_CONTRACTS = {"Members.spend", "PointsLedger.lowerExposure"}  # seen in proof kinds 4 and 5, and in applyPairs
BY_NOBODY = {  # what the timelock brings along: the first two revert for everybody
    "Governance.execute",
    "Governance.executeBatch",
    "Governance.onERC1155BatchReceived",
    "Governance.onERC1155Received",
    "Governance.onERC721Received",
}
FIXED = {"Governance.grantRole", "Governance.revokeRole", "Governance.renounceRole"}  # pure: they revert for everybody


@pytest.mark.timeout(900)
def test_a_seeded_sample_holds_and_reaches_every_act_and_every_refusal() -> None:
    CoalitionMachine.reached.clear()
    run_state_machine_as_test(CoalitionMachine, settings=SEEDED)
    kinds = {kind.__name__ for kind in Entry.__args__}
    assert len(kinds) == 12
    acts = set(FUNCTIONS.values()) - BY_CONTRACTS - BY_NOBODY - FIXED
    reasons = {str(reason) for reason in RefusalReason}
    proofs = {f"proof kind {kind}" for kind in (1, 3, 4, 5)}
    assert (kinds | acts | reasons | proofs) - set(CoalitionMachine.reached) == set()
    assert 1_000_000 < CoalitionMachine.most_gas < GAS_PER_TRANSACTION


@pytest.mark.deep
@pytest.mark.timeout(4 * 3_600)
def test_many_long_histories_hold() -> None:
    CoalitionMachine.histories = 0
    start = time.monotonic()
    run_state_machine_as_test(CoalitionMachine, settings=DEEP)
    seconds = time.monotonic() - start
    print(f"{CoalitionMachine.histories} histories of up to 50 steps in {seconds:,.0f} s, most gas {CoalitionMachine.most_gas:,}")
