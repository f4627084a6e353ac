"""Acts of governance on the real contract: proposed by the operator, executed after the delay with approvals of k of n, whoever relays."""

from __future__ import annotations

from typing import Any

import pytest
from eth_keys import keys

from tests.builders.governance import ACT_LIFETIME, DELAY, FUEL, GROCER, GUARDIAN, STRANGER, Act, GovernedBrands
from tests.builders.ledger_chain import CHAIN_ID, ETHER, Outcome, key_of
from tests.builders.points_ledger import SECP256K1_ORDER, address_of

UNEXPECTED_STATE = "TimelockUnexpectedOperationState"


@pytest.fixture
def governed() -> GovernedBrands:
    return GovernedBrands()


def batch(*acts: Act) -> Act:
    return Act(tuple(call for act in acts for call in act.calls), is_batch=True)


def test_an_act_is_proposed_waits_is_approved_and_executed_by_anybody(governed: GovernedBrands) -> None:
    act = governed.limit(GROCER, 77)
    proposed_at = governed.chain.next_timestamp
    assert governed.propose(act).succeeded
    assert governed.ready(act) == proposed_at + DELAY
    governed.chain.set_time(governed.ready(act))
    outcome = governed.execute(act)
    assert outcome.succeeded, governed.reverted(outcome)
    assert governed.limit_of(GROCER) == 77
    *approved, executed = governed.events(outcome)
    assert [(event.name, event.values["approver"]) for event in approved] == [
        ("ActApproved", "0x" + address_of(key).hex()) for key in governed.approvers[:2]
    ]
    assert (executed.name, executed.values["id"]) == ("CallExecuted", act.operation)


def test_a_batch_is_executed_by_one_set_of_approvals(governed: GovernedBrands) -> None:
    governed.done(batch(governed.limit(GROCER, 11), governed.limit(FUEL, 22)))
    assert (governed.limit_of(GROCER), governed.limit_of(FUEL)) == (11, 22)


@pytest.mark.parametrize("sender", [GUARDIAN, STRANGER, key_of("ann")], ids=["guardian", "stranger", "approver"])
def test_only_the_operator_proposes(governed: GovernedBrands, sender: keys.PrivateKey) -> None:
    for act in (governed.limit(), batch(governed.limit())):
        assert governed.reverted(governed.propose(act, sender=sender)) == "AccessControlUnauthorizedAccount"


def test_an_act_below_the_delay_is_not_proposed(governed: GovernedBrands) -> None:
    for act in (governed.limit(), batch(governed.limit())):
        assert governed.reverted(governed.propose(act, delay=DELAY - 1)) == "TimelockInsufficientDelay"


def test_an_act_is_executed_from_the_second_it_is_ready(governed: GovernedBrands) -> None:
    act = governed.limit()
    governed.propose(act)
    governed.chain.set_time(governed.ready(act) - 1)
    assert governed.reverted(governed.execute(act)) == UNEXPECTED_STATE
    assert governed.chain.next_timestamp == governed.ready(act)
    assert governed.execute(act).succeeded


def test_a_longer_delay_of_its_own_holds_for_the_approvals_too(governed: GovernedBrands) -> None:
    act = governed.proposed(governed.limit(), delay=2 * DELAY)
    early = governed.approvals(act, approved_at=governed.ready(act) - DELAY)
    assert governed.reverted(governed.execute(act, early)) == "ApprovalTooEarly"
    assert governed.execute(act).succeeded


def test_an_act_nobody_proposed_is_not_executed(governed: GovernedBrands) -> None:
    act = governed.limit()
    approvals = governed.approvals(act, approved_at=governed.chain.next_timestamp)
    assert governed.reverted(governed.execute(act, approvals)) == UNEXPECTED_STATE


@pytest.mark.parametrize("is_batch", [False, True])
def test_an_act_is_executed_once(governed: GovernedBrands, is_batch: bool) -> None:
    act = batch(governed.limit()) if is_batch else governed.limit()
    governed.proposed(act)
    approvals = governed.approvals(act)
    assert governed.execute(act, approvals).succeeded
    assert governed.reverted(governed.execute(act, approvals)) == UNEXPECTED_STATE
    assert governed.reverted(governed.propose(act)) == UNEXPECTED_STATE


def test_an_act_lapses_30_days_after_it_is_ready(governed: GovernedBrands) -> None:
    act, late = governed.limit(), governed.limit().again(1)
    for one in (act, late):
        governed.propose(one)
    governed.chain.set_time(governed.ready(act) + ACT_LIFETIME)
    assert governed.execute(act).succeeded
    governed.chain.set_time(governed.ready(late) + ACT_LIFETIME + 1)
    assert governed.reverted(governed.execute(late)) == "ActLapsed"


@pytest.mark.parametrize("function", ["execute", "executeBatch"])
@pytest.mark.parametrize("sender", ["operator", "guardian", "stranger"])
def test_the_timelocks_own_execution_is_closed_to_everybody(governed: GovernedBrands, function: str, sender: str) -> None:
    act = governed.limit() if function == "execute" else batch(governed.limit())
    governed.proposed(act)
    outcome = governed.transact(function, *act.arguments, sender=key_of(sender))
    assert governed.reverted(outcome) == "ApprovalsMissing"
    assert governed.execute(act).succeeded


def test_an_approved_act_does_not_execute_another_without_its_approvals(governed: GovernedBrands) -> None:
    inner = governed.proposed(governed.limit())
    outer = governed.proposed(governed.on_itself("execute", *inner.arguments))
    assert governed.reverted(governed.execute(outer)) == "ApprovalsMissing"
    assert governed.limit_of(GROCER) == 0


# Approvals


def test_fewer_approvals_than_needed_and_one_twice_are_refused(governed: GovernedBrands) -> None:
    act = governed.proposed(governed.limit())
    first, second, third = governed.approvals(act, 3)
    assert governed.reverted(governed.execute(act, [])) == "TooFewApprovals"
    assert governed.reverted(governed.execute(act, [first])) == "TooFewApprovals"
    assert governed.reverted(governed.execute(act, [first, first])) == "ApprovalsNotAscending"
    assert governed.reverted(governed.execute(act, [second, first])) == "ApprovalsNotAscending"
    assert governed.execute(act, [first, second, third]).succeeded


def test_a_batch_needs_approvals_of_its_own(governed: GovernedBrands) -> None:
    act, other = batch(governed.limit(GROCER, 1)), batch(governed.limit(GROCER, 2))
    for one in (act, other):
        governed.propose(one)
    governed.chain.set_time(governed.ready(other))
    assert governed.reverted(governed.execute(act, governed.approvals(act, 1))) == "TooFewApprovals"
    assert not governed.execute(act, governed.approvals(other)).succeeded
    assert governed.limit_of(GROCER) == 0
    assert governed.execute(act).succeeded


@pytest.mark.parametrize("who", ["operator", "guardian", "stranger"])
def test_who_is_no_approver_approves_nothing(governed: GovernedBrands, who: str) -> None:
    act = governed.proposed(governed.limit())
    mixed = sorted((key_of(who), governed.approvers[0]), key=address_of)
    assert governed.reverted(governed.execute(act, [governed.approval(act, key) for key in mixed])) == "NotAnApprover"


def test_an_approval_signed_before_the_delay_has_passed_is_refused_whatever_the_chains_clock_says(governed: GovernedBrands) -> None:
    act = governed.limit()
    governed.propose(act)
    honest = governed.approvals(act, approved_at=governed.chain.next_timestamp + 60)
    governed.chain.set_time(governed.ready(act) + 10 * DELAY)
    assert governed.reverted(governed.execute(act, honest)) == "ApprovalTooEarly"
    good, bad = (
        governed.approval(act, governed.approvers[0]),
        governed.approval(act, governed.approvers[1], approved_at=governed.ready(act) - 1),
    )
    assert governed.reverted(governed.execute(act, [good, bad])) == "ApprovalTooEarly"


def test_an_approval_is_good_until_the_second_it_names(governed: GovernedBrands) -> None:
    act, late = governed.proposed(governed.limit()), governed.limit().again(1)
    assert governed.execute(act, governed.approvals(act, good_until=governed.chain.next_timestamp)).succeeded
    governed.proposed(late)
    approvals = governed.approvals(late, good_until=governed.chain.next_timestamp - 1)
    assert governed.reverted(governed.execute(late, approvals)) == "ApprovalExpired"


@pytest.mark.parametrize(
    "domain",
    [
        {"chainId": CHAIN_ID + 1},
        {"salt": b"\x01" * 32},
        {"verifyingContract": "0x" + "11" * 20},
        {"version": "2"},
        {"name": "Splittally ledger"},
    ],
    ids=lambda domain: next(iter(domain)),
)
def test_an_approval_for_another_domain_is_no_approvers(domain: dict[str, Any]) -> None:
    governed = GovernedBrands(threshold=1)
    act = governed.proposed(governed.limit())
    assert governed.reverted(governed.execute(act, governed.approvals(act, 1, domain=domain))) == "NotAnApprover"
    assert governed.execute(act, governed.approvals(act, 1)).succeeded


@pytest.mark.parametrize("changed", ["approvedAt", "goodUntil", "operation"])
def test_every_word_of_an_approval_is_signed(changed: str) -> None:
    governed = GovernedBrands(threshold=1)
    act = governed.proposed(governed.limit())
    signed = governed.limit(FUEL) if changed == "operation" else act
    [(at, until, signature)] = governed.approvals(signed, 1, good_until=10**11, approved_at=governed.ready(act))
    tampered = (at + (changed == "approvedAt"), until - (changed == "goodUntil"), signature)
    assert governed.reverted(governed.execute(act, [tampered])) == "NotAnApprover"


def test_a_signature_with_a_high_s_or_of_another_length_is_refused(governed: GovernedBrands) -> None:
    act = governed.proposed(governed.limit())
    (at, until, signature), second = governed.approvals(act)
    high = signature[:32] + (SECP256K1_ORDER - int.from_bytes(signature[32:64])).to_bytes(32) + bytes([55 - signature[64]])
    for bad in (high, signature[:64], signature + b"\x00", b"", bytes(65)):
        assert governed.reverted(governed.execute(act, [(at, until, bad), second])) == "SignatureInvalid"


# Calls


def test_a_batch_with_one_bad_call_does_nothing_and_stays_pending(governed: GovernedBrands) -> None:
    refuse = Act(((governed.brands, 0, governed.target.call("refuse")),))
    act = governed.proposed(batch(governed.limit(GROCER, 9), refuse))
    assert governed.reverted(governed.execute(act)) == "Refused"
    assert governed.limit_of(GROCER) == 0
    assert governed.view("isOperationPending", act.operation)


def test_an_act_waits_for_its_predecessor(governed: GovernedBrands) -> None:
    first = governed.limit(GROCER, 1)
    second = Act(governed.limit(GROCER, 2).calls, predecessor=first.operation)
    for act in (first, second):
        governed.propose(act)
    governed.chain.set_time(governed.ready(second))
    assert governed.reverted(governed.execute(second)) == "TimelockUnexecutedPredecessor"
    assert governed.execute(first).succeeded
    assert governed.execute(second).succeeded
    assert governed.limit_of(GROCER) == 2


def test_a_cancelled_predecessor_is_never_done(governed: GovernedBrands) -> None:
    first = governed.limit(GROCER, 1)
    second = Act(governed.limit(GROCER, 2).calls, predecessor=first.operation)
    for act in (first, second):
        governed.propose(act)
    assert governed.cancel(first).succeeded
    governed.chain.set_time(governed.ready(second))
    assert governed.reverted(governed.execute(second)) == "TimelockUnexecutedPredecessor"


def test_a_call_with_value_takes_it_from_governance_and_never_from_who_relays(governed: GovernedBrands) -> None:
    ((target, _, data),) = governed.limit(GROCER, 3).calls
    act = governed.proposed(Act(((target, 7, data),)))
    assert not governed.execute(act, value=7).succeeded, "no value comes with an execution"
    assert not governed.execute(act).succeeded, "governance has nothing"
    assert governed.chain.send(governed.address, b"", value=ETHER).succeeded
    assert governed.execute(act).succeeded
    assert (governed.chain.ether(governed.brands), governed.chain.ether(governed.address)) == (7, ETHER - 7)


def called_back(governed: GovernedBrands, inner: Act | None = None) -> tuple[Act, Outcome]:
    """An act whose target executes `inner`, or the act itself, in the middle of it."""
    act = governed.proposed(Act(((governed.brands, 0, governed.target.call("callBack")),)))
    chosen = inner or act
    callback = governed.abi.call("executeApproved", *chosen.arguments, governed.approvals(chosen))
    assert governed.chain.send(governed.brands, governed.target.call("prepare", callback)).succeeded
    return act, governed.execute(act)


def test_a_target_that_executes_its_own_act_again_undoes_it(governed: GovernedBrands) -> None:
    act, outcome = called_back(governed)
    assert governed.reverted(outcome) == UNEXPECTED_STATE
    assert governed.view("isOperationPending", act.operation)


def test_a_target_may_execute_another_act_that_has_its_approvals(governed: GovernedBrands) -> None:
    inner = governed.proposed(governed.limit(GROCER, 4))
    act, outcome = called_back(governed, inner)
    assert outcome.succeeded
    assert governed.limit_of(GROCER) == 4
    assert governed.view("isOperationDone", act.operation)
    assert governed.view("isOperationDone", inner.operation)


def test_a_call_and_a_batch_of_that_call_are_two_acts(governed: GovernedBrands) -> None:
    single, alone = governed.limit(), batch(governed.limit())
    governed.proposed(alone)
    approvals = governed.approvals(single, approved_at=governed.ready(alone))
    assert governed.reverted(governed.execute(single, approvals)) == UNEXPECTED_STATE
    assert governed.execute(alone).succeeded
