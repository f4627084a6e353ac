"""The guardian's pause on the real contract: at once, 72 hours at most, once until governance re-arms it; members and owners act on."""

from __future__ import annotations

import pytest
from eth_keys import keys

from gateway.ledger.entries import Issue, encode_entry
from gateway.ledger.framing import pack_entries
from tests.builders.governance_acts import GUARDIAN, STRANGER
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import ETHER, Outcome, key_of
from tests.builders.points_ledger import PointsLedger, address_of, member_named

GROCER = 1
LONGEST = 72 * 3_600
ISSUES = pack_entries([encode_entry(Issue(member_named("bob"), 0, 5, BASIS, bytes(32)))])


@pytest.fixture(autouse=True)
def guardian_has_gas(ledger: PointsLedger) -> None:
    assert ledger.chain.send(address_of(GUARDIAN), b"", value=ETHER).succeeded


def by_guardian(ledger: PointsLedger, function: str) -> Outcome:
    return ledger.transact(function, sender=GUARDIAN)


def submit(ledger: PointsLedger) -> Outcome:
    return ledger.transact("submitBatch", *ledger.signed(GROCER, ledger.next_number(), ISSUES))


def test_a_pause_stops_batches_at_once_and_ends_by_itself(ledger: PointsLedger) -> None:
    until = ledger.now + LONGEST
    (event,) = ledger.events(by_guardian(ledger, "pause"))
    assert (event.name, event.values) == ("Paused", {"until": until})
    assert ledger.view("pauseState") == (until, True)
    assert ledger.reverted(submit(ledger)) == "LedgerPaused"
    ledger.chain.set_time(until - 1)
    assert ledger.reverted(submit(ledger)) == "LedgerPaused"
    assert ledger.now == until
    assert submit(ledger).succeeded


def test_a_pause_is_not_renewed_before_governance_re_arms_it(ledger: PointsLedger) -> None:
    assert by_guardian(ledger, "pause").succeeded
    assert ledger.reverted(by_guardian(ledger, "pause")) == "PauseSpent"
    ledger.chain.set_time(ledger.now + LONGEST)
    assert ledger.reverted(by_guardian(ledger, "pause")) == "PauseSpent"
    (event,) = ledger.events(ledger.by_governance("rearmPause"))
    assert event.name == "PauseRearmed"
    assert by_guardian(ledger, "pause").succeeded
    assert ledger.reverted(submit(ledger)) == "LedgerPaused"


def test_the_guardian_ends_a_pause_early_and_has_spent_it(ledger: PointsLedger) -> None:
    assert ledger.reverted(by_guardian(ledger, "unpause")) == "NotPaused"
    by_guardian(ledger, "pause")
    (event,) = ledger.events(by_guardian(ledger, "unpause"))
    assert event.name == "Unpaused"
    assert submit(ledger).succeeded
    assert ledger.reverted(by_guardian(ledger, "unpause")) == "NotPaused"
    assert ledger.reverted(by_guardian(ledger, "pause")) == "PauseSpent"


def test_a_pause_that_ran_out_is_not_ended(ledger: PointsLedger) -> None:
    by_guardian(ledger, "pause")
    ledger.chain.set_time(ledger.now + LONGEST)
    assert ledger.reverted(by_guardian(ledger, "unpause")) == "NotPaused"


@pytest.mark.parametrize("sender", [key_of("operator"), STRANGER], ids=["operator", "stranger"])
def test_nobody_else_pauses_or_ends_a_pause(ledger: PointsLedger, sender: keys.PrivateKey) -> None:
    for function, reason in (("pause", "NotGuardian"), ("unpause", "NotGuardian"), ("rearmPause", "NotGovernance")):
        assert ledger.reverted(ledger.transact(function, sender=sender)) == reason
    assert ledger.reverted(by_guardian(ledger, "rearmPause")) == "NotGovernance", "nor does the guardian re-arm it"


def test_governance_itself_does_not_pause(ledger: PointsLedger) -> None:
    assert ledger.reverted(ledger.attempt("pause")) == "NotGuardian"


def test_members_and_governance_act_on_during_a_pause(ledger: PointsLedger) -> None:
    by_guardian(ledger, "pause")
    bob = ledger.enroll("bob")
    assert ledger.change_authorizers(bob, (1, address_of(key_of("phone"))), bytes(32), 0, key=key_of("bob")).succeeded
    ledger.set_limit(GROCER, 5)
    assert ledger.set_brand_key(GROCER, address_of(key_of("till")), 0, 1).succeeded


def test_a_new_guardian_pauses_and_the_old_one_does_not(ledger: PointsLedger) -> None:
    governance = ledger.governance
    governance.done(governance.on_itself("replaceGuardian", address_of(STRANGER)))
    assert ledger.reverted(by_guardian(ledger, "pause")) == "NotGuardian"
    assert ledger.transact("pause", sender=STRANGER).succeeded
