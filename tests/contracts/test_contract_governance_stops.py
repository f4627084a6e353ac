"""Who stops an act, on the real contract: the guardian any but its own replacement, a brand's owner the owner's own replacement."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders.governance import ACT_LIFETIME, DELAY, FUEL, GROCER, GUARDIAN, OWNERS, STRANGER, Act, GovernedBrands
from tests.builders.ledger_chain import CHAIN_ID, key_of
from tests.builders.points_ledger import SECP256K1_ORDER, address_of

UNEXPECTED_STATE = "TimelockUnexpectedOperationState"
NEW_GUARDIAN = STRANGER  # an account with funds


@pytest.fixture
def governed() -> GovernedBrands:
    return GovernedBrands()


def new_guardian(governed: GovernedBrands) -> Act:
    return governed.on_itself("replaceGuardian", address_of(NEW_GUARDIAN))


# The guardian


@pytest.mark.parametrize("is_ready", [False, True])
def test_the_guardian_cancels_a_pending_act_for_good(governed: GovernedBrands, is_ready: bool) -> None:
    act = governed.limit()
    governed.propose(act)
    if is_ready:
        governed.chain.set_time(governed.ready(act))
    approvals = governed.approvals(act)
    outcome = governed.cancel(act)
    assert [(event.name, event.values["id"]) for event in governed.events(outcome)] == [("Cancelled", act.operation)]
    governed.chain.set_time(governed.chain.timestamp + 2 * DELAY)
    assert governed.reverted(governed.execute(act, approvals)) == UNEXPECTED_STATE
    assert governed.reverted(governed.propose(act)) == "ActCancelled"
    assert governed.reverted(governed.cancel(act)) == UNEXPECTED_STATE
    assert governed.propose(act.again(1)).succeeded, "the same with another salt is another act"


def test_a_cancelled_batch_is_not_proposed_again_either(governed: GovernedBrands) -> None:
    act = Act(governed.limit().calls, is_batch=True)
    governed.propose(act)
    assert governed.cancel(act).succeeded
    assert governed.reverted(governed.propose(act)) == "ActCancelled"


@pytest.mark.parametrize("sender", ["operator", "stranger", "ann"])
def test_nobody_but_the_guardian_cancels(governed: GovernedBrands, sender: str) -> None:
    act = governed.proposed(governed.limit())
    assert governed.reverted(governed.cancel(act, sender=key_of(sender))) == "AccessControlUnauthorizedAccount"


def test_what_is_done_or_was_never_proposed_is_not_cancelled(governed: GovernedBrands) -> None:
    act = governed.limit()
    assert governed.reverted(governed.cancel(act)) == UNEXPECTED_STATE
    governed.done(act)
    assert governed.reverted(governed.cancel(act)) == UNEXPECTED_STATE


def test_a_guardian_that_cancels_everything_is_replaced_after_three_delays(governed: GovernedBrands) -> None:
    act = new_guardian(governed)
    assert governed.reverted(governed.propose(act, delay=3 * DELAY - 1)) == "GuardianDelayTooShort"
    proposed_at = governed.chain.next_timestamp
    governed.proposed(act, delay=3 * DELAY)
    assert governed.ready(act) == proposed_at + 3 * DELAY
    outcome = governed.cancel(act)
    assert governed.reverted(outcome) == "BeyondGuardian"
    governed.chain.set_time(governed.ready(act))
    outcome = governed.execute(act)
    assert [event.values for event in governed.events(outcome) if event.name == "GuardianReplaced"] == [
        {"from": "0x" + address_of(GUARDIAN).hex(), "to": "0x" + address_of(NEW_GUARDIAN).hex()}
    ]
    pending = governed.proposed(governed.limit())
    assert governed.reverted(governed.cancel(pending)) == "AccessControlUnauthorizedAccount"
    assert governed.cancel(pending, sender=NEW_GUARDIAN).succeeded


def test_a_guardians_replacement_needs_approvals_and_lapses_like_any_act(governed: GovernedBrands) -> None:
    act = governed.proposed(new_guardian(governed), delay=3 * DELAY)
    assert governed.reverted(governed.execute(act, governed.approvals(act, 1))) == "TooFewApprovals"
    governed.chain.set_time(governed.ready(act) + ACT_LIFETIME + 1)
    assert governed.reverted(governed.execute(act)) == "ActLapsed"


def test_not_even_an_act_cancels_a_guardians_replacement(governed: GovernedBrands) -> None:
    act = new_guardian(governed)
    governed.propose(act, delay=3 * DELAY)
    cancelling = governed.proposed(governed.on_itself("cancel", act.operation))
    assert governed.reverted(governed.execute(cancelling)) == "BeyondGuardian"


def test_the_name_of_the_guardians_replacement_on_another_target_is_any_act(governed: GovernedBrands) -> None:
    ((_, _, data),) = new_guardian(governed).calls
    act = Act(((governed.brands, 0, data),))
    governed.proposed(act)
    assert governed.cancel(act).succeeded


@pytest.mark.parametrize("kind", ["owner", "guardian"])
@pytest.mark.parametrize("alone", [False, True])
def test_a_batch_hides_no_replacement_that_somebody_else_may_stop(governed: GovernedBrands, kind: str, alone: bool) -> None:
    hidden = governed.new_owner() if kind == "owner" else new_guardian(governed)
    act = Act((*(() if alone else governed.limit().calls), *hidden.calls), is_batch=True)
    assert governed.reverted(governed.propose(act, delay=3 * DELAY)) == "MustStandAlone"


def test_columns_of_different_lengths_are_no_batch(governed: GovernedBrands) -> None:
    act = Act(governed.limit().calls * 2, is_batch=True)
    targets, values, payloads, *rest = act.arguments
    for columns in ((targets[:1], values, payloads), (targets, values[:1], payloads), (targets, values, payloads[:1])):
        outcome = governed.transact("scheduleBatch", *columns, *rest, DELAY)
        assert governed.reverted(outcome) == "TimelockInvalidOperationLength"


# The brand's owner


def test_without_a_veto_the_owner_is_replaced(governed: GovernedBrands) -> None:
    governed.done(governed.new_owner())
    assert governed.owner(GROCER) == address_of(key_of("successor"))


@pytest.mark.parametrize("is_ready", [False, True])
def test_the_owner_vetoes_the_owners_replacement_by_whoever_relays_it(governed: GovernedBrands, is_ready: bool) -> None:
    act = governed.new_owner()
    governed.propose(act)
    if is_ready:
        governed.chain.set_time(governed.ready(act))
    outcome = governed.veto(act, OWNERS[GROCER])
    vetoed, cancelled = governed.events(outcome)
    assert (vetoed.name, cancelled.name) == ("OwnerVetoed", "Cancelled")
    owner = "0x" + address_of(OWNERS[GROCER]).hex()
    assert vetoed.values == {"operation": act.operation, "brand": GROCER, "owner": owner}
    assert governed.reverted(governed.propose(act)) == "ActCancelled"


def test_a_veto_is_good_for_one_act_alone(governed: GovernedBrands) -> None:
    act, again = governed.new_owner(), governed.new_owner().again(1)
    for one in (act, again):
        governed.propose(one)
    assert governed.veto(act, OWNERS[GROCER]).succeeded
    assert governed.reverted(governed.veto(act, OWNERS[GROCER])) == UNEXPECTED_STATE
    assert governed.reverted(governed.veto(again, OWNERS[GROCER], signed_act=act)) == "NotBrandOwner"


@pytest.mark.parametrize("who", ["the fuel station", "operator", "guardian", "successor", "ann"])
def test_nobody_but_the_brands_owner_vetoes(governed: GovernedBrands, who: str) -> None:
    act = governed.proposed(governed.new_owner())
    assert governed.reverted(governed.veto(act, key_of(who))) == "NotBrandOwner"
    assert governed.execute(act).succeeded


def test_a_veto_names_the_brand_of_the_act(governed: GovernedBrands) -> None:
    act = governed.proposed(governed.new_owner(FUEL))
    assert governed.reverted(governed.veto(act, OWNERS[FUEL], brand=GROCER)) == "NotBrandOwner"
    assert governed.reverted(governed.veto(act, OWNERS[GROCER], brand=FUEL)) == "NotBrandOwner"
    assert governed.veto(act, OWNERS[FUEL], brand=FUEL).succeeded


def test_an_owner_stops_no_other_act(governed: GovernedBrands) -> None:
    guardians = governed.proposed(new_guardian(governed), delay=3 * DELAY)
    for act in (governed.proposed(governed.limit()), guardians, Act(((governed.brands, 0, b""),))):
        assert governed.reverted(governed.veto(act, OWNERS[GROCER])) == "NotAnOwnerReplacement"


def test_a_former_owner_vetoes_nothing(governed: GovernedBrands) -> None:
    governed.done(governed.new_owner())
    act = governed.proposed(governed.new_owner(owner=address_of(key_of("third"))))
    assert governed.reverted(governed.veto(act, OWNERS[GROCER])) == "NotBrandOwner"
    assert governed.veto(act, key_of("successor")).succeeded


def test_bytes_behind_a_replacement_do_not_hide_it_from_a_veto(governed: GovernedBrands) -> None:
    ((target, value, data),) = governed.new_owner().calls
    act = governed.proposed(Act(((target, value, data + b"\x00"),)))
    assert governed.veto(act, OWNERS[GROCER]).succeeded
    assert governed.reverted(governed.propose(act)) == "ActCancelled"


def test_a_replacement_that_no_ledger_reads_is_not_executed(governed: GovernedBrands) -> None:
    ((target, value, data),) = governed.new_owner().calls
    act = governed.proposed(Act(((target, value, data[:-1]),)))
    assert not governed.veto(act, OWNERS[GROCER]).succeeded
    assert not governed.execute(act).succeeded
    assert governed.owner(GROCER) == address_of(OWNERS[GROCER])


@pytest.mark.parametrize("domain", [{"chainId": CHAIN_ID + 1}, {"salt": b"\x01" * 32}, {"verifyingContract": "0x" + "11" * 20}])
def test_a_veto_for_another_domain_is_not_the_owners(governed: GovernedBrands, domain: dict[str, Any]) -> None:
    act = governed.proposed(governed.new_owner())
    assert governed.reverted(governed.veto(act, OWNERS[GROCER], domain=domain)) == "NotBrandOwner"


def test_an_approval_is_no_veto_and_a_bad_signature_neither(governed: GovernedBrands) -> None:
    act = governed.proposed(governed.new_owner())
    *_, approval = governed.approval(act, OWNERS[GROCER])
    assert governed.reverted(governed.veto(act, STRANGER, signature=approval)) == "NotBrandOwner"
    high = approval[:32] + (SECP256K1_ORDER - int.from_bytes(approval[32:64])).to_bytes(32) + bytes([55 - approval[64]])
    for bad in (high, approval[:64], bytes(65)):
        assert governed.reverted(governed.veto(act, STRANGER, signature=bad)) == "SignatureInvalid"
