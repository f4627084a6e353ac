"""Every act of a coalition at random, on all its contracts against the models: after every step the invariants hold."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from gateway.ledger.entries import Entry
from gateway.ledger.refusals import RefusalReason
from tests.builders.coalition_history import EVERYTHING, history_of_everything
from tests.builders.coalition_machine import CoalitionMachine
from tests.builders.ledger_chain import GAS_PER_TRANSACTION
from tests.depth import in_a_soak

USUAL = settings(stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
SEEDED = settings(USUAL, max_examples=12, stateful_step_count=20, derandomize=True, database=None, phases=[Phase.generate])
DEEP = settings(USUAL, max_examples=in_a_soak(400, 4))


def test_one_history_reaches_every_act_and_every_refusal() -> None:
    assert len(Entry.__args__) == 12
    assert len(EVERYTHING) > len(RefusalReason) + 12 + 30
    CoalitionMachine.reached.clear()
    machine = history_of_everything()
    machine.the_ledger_adds_up()
    machine.no_more_is_captured_than_was_consented_to()
    machine.every_transaction_is_small_enough()
    assert EVERYTHING - set(machine.reached) == set()


def test_a_seeded_sample_holds_and_reaches_nearly_everything() -> None:
    """Which of the rarest it reaches is chance: a rule that no longer does anything is what would be seen here."""
    CoalitionMachine.reached.clear()
    run_state_machine_as_test(CoalitionMachine, settings=SEEDED)
    missing = EVERYTHING - set(CoalitionMachine.reached)
    assert len(missing) <= len(EVERYTHING) // 10, sorted(missing)
    assert 1_000_000 < CoalitionMachine.most_gas < GAS_PER_TRANSACTION


@pytest.mark.deep
@pytest.mark.timeout(4 * 3_600)
def test_many_long_histories_hold() -> None:
    CoalitionMachine.histories = 0
    start = time.monotonic()
    run_state_machine_as_test(CoalitionMachine, settings=DEEP)
    seconds = time.monotonic() - start
    print(f"{CoalitionMachine.histories} histories of up to 50 steps in {seconds:,.0f} s, most gas {CoalitionMachine.most_gas:,}")
