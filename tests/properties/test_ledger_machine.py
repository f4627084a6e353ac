"""The real contract against the model, at random: after every step the invariants hold; and a wrong model is found out."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from gateway.ledger.effects import Effect
from gateway.ledger.entries import Authorize, Clawback, Issue, Opening, PointRefund, Redeem, Restore
from gateway.ledger.issue_parts import ShownIssue
from gateway.ledger.model import LedgerModel
from gateway.ledger.state import LedgerState
from gateway.values.ids import LotId, MemberId, ReservationId
from tests.builders.ledger_machine import LedgerMachine
from tests.depth import in_a_soak

USUAL = settings(max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
DEEP = settings(USUAL, max_examples=in_a_soak(200, 10), stateful_step_count=50)  # the coalition's machine takes these steps too
HUNT = settings(USUAL, max_examples=500, database=None, derandomize=True, phases=[Phase.generate])


def test_contract_and_model_agree_and_the_invariants_hold_after_every_step() -> None:
    run_state_machine_as_test(LedgerMachine, settings=USUAL)


@pytest.mark.deep
@pytest.mark.timeout(3_600)
def test_contract_and_model_agree_over_many_long_histories() -> None:
    run_state_machine_as_test(LedgerMachine, settings=DEEP)


class StateThatForgetsReservations(LedgerState):
    def unreserved(self, member: MemberId, lot: LotId) -> int:
        return self.held.get((member, lot), 0)


class SpendsReservedPoints(LedgerModel):
    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.state = StateThatForgetsReservations()


class KnowsNoGraceLot(LedgerModel):
    """Points of an expired lot go back into it."""

    def _refund(self, brand: int, entry: PointRefund, timestamp: int) -> Effect:
        return super()._refund(brand, entry, 0)


class IgnoresTheLimit(LedgerModel):
    def _issue(self, brand: int, entry: Issue | Opening, timestamp: int) -> Effect:
        record = self.state.brands[brand]
        limit, record.limit = record.limit, 2**96
        try:
            return super()._issue(brand, entry, timestamp)
        finally:
            record.limit = limit


class BelievesEveryClawback(LedgerModel):
    """That what it shows is an issue of the brand to the member."""

    def _is_of_record(self, brand: int, shown: ShownIssue) -> bool:
        return True


class ForgetsWhatItTook(LedgerModel):
    def _claw_back(self, brand: int, entry: Clawback) -> Effect:
        self.state.clawed.pop((brand, entry.issue.number, entry.issue.index), None)
        return super()._claw_back(brand, entry)


class RestoresWithoutEnd(LedgerModel):
    def _restore(self, brand: int, entry: Restore, timestamp: int) -> Effect:
        effect = super()._restore(brand, entry, timestamp)
        self.state.clawed[brand, entry.number, entry.index].points += sum(line.points for line in entry.lines)
        return effect


class AcceptsWhoeverPays(LedgerModel):
    """Points of a brand in default, and at one."""

    def accepts(self, brand: int, timestamp: int) -> bool:
        return True


class TakesAConsentTwice(LedgerModel):
    def _authorize(self, brand: int, entry: Authorize | Redeem, timestamp: int) -> Effect:
        known = dict(self.state.reservations)
        self.state.reservations.clear()
        try:
            return super()._authorize(brand, entry, timestamp)
        finally:
            self.state.reservations.update(known)


class LetsLockedMembersSpend(LedgerModel):
    def _require_consent(self, brand: int, entry: Authorize | Redeem, digest: ReservationId, timestamp: int) -> None:
        record = self.state.members[entry.member]
        was_locked, record.is_locked = record.is_locked, False
        try:
            super()._require_consent(brand, entry, digest, timestamp)
        finally:
            record.is_locked = was_locked


WRONG = [
    SpendsReservedPoints,
    KnowsNoGraceLot,
    IgnoresTheLimit,
    BelievesEveryClawback,
    ForgetsWhatItTook,
    RestoresWithoutEnd,
    AcceptsWhoeverPays,
    TakesAConsentTwice,
    LetsLockedMembersSpend,
]


@pytest.mark.parametrize("wrong", in_a_soak(WRONG, WRONG[::3]))
def test_a_wrong_model_is_found_out(wrong: type[LedgerModel]) -> None:
    machine = type(f"MachineWith{wrong.__name__}", (LedgerMachine,), {"model_class": wrong})
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=HUNT)
