"""Members' acts at random, on the real register against the model's rules; and a wrong model is found out."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from gateway.ledger.member_acts import AuthorizerChange, DelayedAct, Grant
from gateway.ledger.model_member_acts import MemberRules
from gateway.ledger.state import MemberRecord
from tests.builders.member_machine import MemberMachine
from tests.depth import in_a_soak

USUAL = settings(max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
DEEP = settings(USUAL, max_examples=in_a_soak(200, 12), stateful_step_count=50)
HUNT = settings(USUAL, max_examples=500, database=None, derandomize=True, phases=[Phase.generate])


def test_register_and_model_agree_after_every_step() -> None:
    run_state_machine_as_test(MemberMachine, settings=USUAL)


@pytest.mark.deep
@pytest.mark.timeout(3_600)
def test_register_and_model_agree_over_many_long_histories() -> None:
    run_state_machine_as_test(MemberMachine, settings=DEEP)


class AddsWhileLocked(MemberRules):
    def _change_authorizers(self, record: MemberRecord, change: AuthorizerChange, kind: int, proof: bytes, now: int) -> None:
        was_locked, record.is_locked = record.is_locked, False
        try:
            MemberRules._change_authorizers(self, record, change, kind, proof, now)
        finally:
            record.is_locked = was_locked


class KeepsWhatWasSpentOfAnEarlierGrant(MemberRules):
    def _set_grant(self, record: MemberRecord, grant: Grant, kind: int, proof: bytes, now: int) -> None:
        earlier = record.grants.get(grant.to)
        MemberRules._set_grant(self, record, grant, kind, proof, now)
        if earlier is not None:
            record.grants[grant.to].spent_in_all = earlier.spent_in_all


class CarriesOutWhatFell(MemberRules):
    def execute(self, record: MemberRecord, act: DelayedAct, now: int) -> None:
        for pending in record.pending.values():
            pending.turn = record.turn
        MemberRules.execute(self, record, act, now)


class WaitsForNothing(MemberRules):
    def execute(self, record: MemberRecord, act: DelayedAct, now: int) -> None:
        MemberRules.execute(self, record, act, now + self.delay)


class KeepsGrantsOverARecovery(MemberRules):
    def execute(self, record: MemberRecord, act: DelayedAct, now: int) -> None:
        grants = dict(record.grants)
        MemberRules.execute(self, record, act, now)
        record.grants = grants


WRONG = [AddsWhileLocked, KeepsWhatWasSpentOfAnEarlierGrant, CarriesOutWhatFell, WaitsForNothing, KeepsGrantsOverARecovery]


@pytest.mark.parametrize("wrong", in_a_soak(WRONG, WRONG[::3]))
def test_a_wrong_model_is_found_out(wrong: type[MemberRules]) -> None:
    machine = type(f"MachineWith{wrong.__name__}", (MemberMachine,), {"rules_class": wrong})
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=HUNT)
