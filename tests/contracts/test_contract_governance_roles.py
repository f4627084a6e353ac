"""Who governs, on the real contract: one operator, one guardian and the approvers, each replaced by an act alone."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils import keccak

from gateway.values.calendar import SECONDS_PER_DAY
from tests.builders.governance import DELAY, GROCER, GUARDIAN, STRANGER, Act, GovernedBrands
from tests.builders.ledger_chain import key_of
from tests.builders.points_ledger import address_of

OPERATOR = address_of(key_of("operator"))
SUCCESSOR = key_of("stranger")  # an account with funds
ADMIN = bytes(32)
PROPOSER, EXECUTOR, CANCELLER = (keccak(text=f"{name}_ROLE") for name in ("PROPOSER", "EXECUTOR", "CANCELLER"))
ANN = address_of(key_of("ann"))


@pytest.fixture
def governed() -> GovernedBrands:
    return GovernedBrands()


def hex_of(address: bytes) -> str:
    return "0x" + address.hex()


def addresses(governed: GovernedBrands) -> list[bytes]:
    return [address_of(key) for key in governed.approvers]


# From the first block


def test_each_role_stands_where_the_constructor_put_it(governed: GovernedBrands) -> None:
    roles = (ADMIN, PROPOSER, EXECUTOR, CANCELLER)
    everybody = [OPERATOR, address_of(GUARDIAN), *addresses(governed), governed.address, bytes(20), address_of(STRANGER)]
    held = {role: {account for account in everybody if governed.view("hasRole", role, account)} for role in roles}
    assert held == {
        ADMIN: {governed.address},
        PROPOSER: {OPERATOR, governed.address},
        EXECUTOR: {bytes(20)},
        CANCELLER: {address_of(GUARDIAN), governed.address},
    }
    assert governed.view("operator") == hex_of(OPERATOR)
    assert governed.view("guardian") == hex_of(address_of(GUARDIAN))
    assert list(governed.view("approvers")) == [hex_of(address) for address in addresses(governed)]
    assert (governed.view("threshold"), governed.view("getMinDelay"), governed.view("sandbox")) == (2, DELAY, False)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"delay": SECONDS_PER_DAY - 1}, "DelayOutOfRange"),
        ({"delay": 30 * SECONDS_PER_DAY + 1}, "DelayOutOfRange"),
        ({"delay": 30 * SECONDS_PER_DAY + 1, "sandbox": True}, "DelayOutOfRange"),
        ({"operator": bytes(20)}, "AccountZero"),
        ({"guardian": bytes(20)}, "AccountZero"),
        ({"guardian": OPERATOR}, "SeveralRoles"),
        ({"operator": ANN}, "SeveralRoles"),
        ({"guardian": ANN}, "SeveralRoles"),
        ({"threshold": 0}, "ThresholdOutOfRange"),
        ({"threshold": 4}, "ThresholdOutOfRange"),
        ({"approvers": [], "threshold": 0}, "ThresholdOutOfRange"),
        ({"approvers": [number.to_bytes(20) for number in range(1, 34)]}, "ThresholdOutOfRange"),
        ({"approvers": [b"\x01" * 20, b"\x01" * 20]}, "ApproversNotAscending"),
        ({"approvers": [b"\x02" * 20, b"\x01" * 20]}, "ApproversNotAscending"),
        ({"approvers": [bytes(20), b"\x01" * 20]}, "ApproversNotAscending"),
    ],
)
def test_a_governance_that_would_not_hold_is_not_deployed(governed: GovernedBrands, other: dict[str, Any], reason: str) -> None:
    outcome = governed.chain.send(b"", governed.abi.creation(*governed.creation_arguments(**other)))
    assert governed.reverted(outcome) == reason


@pytest.mark.parametrize(
    "other",
    [
        {"delay": SECONDS_PER_DAY},
        {"delay": 30 * SECONDS_PER_DAY},
        {"delay": 0, "sandbox": True},
        {"threshold": 3},
        {"threshold": 1},
        {"approvers": [number.to_bytes(20) for number in range(1, 33)], "threshold": 32},
    ],
)
def test_a_governance_at_its_bounds_is_deployed(governed: GovernedBrands, other: dict[str, Any]) -> None:
    assert governed.chain.send(b"", governed.abi.creation(*governed.creation_arguments(**other))).succeeded


def test_a_sandbox_says_so_and_has_shorter_delays() -> None:
    governed = GovernedBrands(delay=5, sandbox=True)
    assert governed.view("sandbox") is True
    governed.done(governed.limit(GROCER, 6), delay=5)
    assert governed.limit_of(GROCER) == 6


# Nobody changes a role directly


@pytest.mark.parametrize("sender", ["operator", "guardian", "stranger"])
def test_nobody_changes_roles_approvers_or_the_delay_without_an_act(governed: GovernedBrands, sender: str) -> None:
    tried = {
        "grantRole": (EXECUTOR, address_of(key_of(sender))),
        "revokeRole": (CANCELLER, address_of(GUARDIAN)),
        "renounceRole": (PROPOSER, address_of(key_of(sender))),
        "replaceOperator": (address_of(key_of(sender)),),
        "replaceGuardian": (address_of(key_of(sender)),),
        "setApprovers": ([address_of(key_of("x"))], 1),
        "updateDelay": (0,),
    }
    refused = {
        function: governed.reverted(governed.transact(function, *arguments, sender=key_of(sender))) for function, arguments in tried.items()
    }
    assert refused == {
        "grantRole": "RolesFixed",
        "revokeRole": "RolesFixed",
        "renounceRole": "RolesFixed",
        "replaceOperator": "TimelockUnauthorizedCaller",
        "replaceGuardian": "TimelockUnauthorizedCaller",
        "setApprovers": "TimelockUnauthorizedCaller",
        "updateDelay": "TimelockUnauthorizedCaller",
    }


@pytest.mark.parametrize("function", ["grantRole", "revokeRole", "renounceRole"])
def test_not_even_an_act_gives_a_role_beside_the_one_operator_and_guardian(governed: GovernedBrands, function: str) -> None:
    act = governed.proposed(governed.on_itself(function, PROPOSER, governed.address))
    assert governed.reverted(governed.execute(act)) == "RolesFixed"


# By an act


def test_an_act_replaces_the_operator_who_then_proposes_nothing(governed: GovernedBrands) -> None:
    outcome = governed.done(governed.on_itself("replaceOperator", address_of(SUCCESSOR)))
    replaced = [event.values for event in governed.events(outcome) if event.name == "OperatorReplaced"]
    assert replaced == [{"from": hex_of(OPERATOR), "to": hex_of(address_of(SUCCESSOR))}]
    assert governed.reverted(governed.propose(governed.limit())) == "AccessControlUnauthorizedAccount"
    assert governed.propose(governed.limit(), sender=SUCCESSOR).succeeded
    assert governed.view("operator") == hex_of(address_of(SUCCESSOR))


def test_an_act_replaces_the_approvers_and_how_many_are_needed(governed: GovernedBrands) -> None:
    newcomer = key_of("dee")
    outcome = governed.done(governed.on_itself("setApprovers", [address_of(newcomer)], 1))
    assert [event.values["threshold"] for event in governed.events(outcome) if event.name == "ApproversSet"] == [1]
    act = governed.proposed(governed.limit(GROCER, 8))
    assert governed.reverted(governed.execute(act, governed.approvals(act, 2))) == "NotAnApprover"
    assert governed.execute(act, [governed.approval(act, newcomer)]).succeeded


@pytest.mark.parametrize("function", ["replaceOperator", "replaceGuardian"])
@pytest.mark.parametrize("who", ["operator", "guardian", "ann", "governance", "nobody"])
def test_no_account_gets_a_second_role_by_an_act(governed: GovernedBrands, function: str, who: str) -> None:
    account = {"governance": governed.address, "nobody": bytes(20)}.get(who, address_of(key_of(who)))
    act = governed.proposed(governed.on_itself(function, account), delay=3 * DELAY)
    assert governed.reverted(governed.execute(act)) == ("AccountZero" if who == "nobody" else "SeveralRoles")


@pytest.mark.parametrize("who", ["operator", "guardian", "governance"])
def test_no_approver_has_another_role(governed: GovernedBrands, who: str) -> None:
    account = governed.address if who == "governance" else address_of(key_of(who))
    act = governed.proposed(governed.on_itself("setApprovers", [account], 1))
    assert governed.reverted(governed.execute(act)) == "SeveralRoles"


@pytest.mark.parametrize(
    ("delay", "reason"), [(0, "DelayOutOfRange"), (SECONDS_PER_DAY - 1, "DelayOutOfRange"), (2**200, "DelayOutOfRange")]
)
def test_no_act_makes_the_delay_short_or_endless(governed: GovernedBrands, delay: int, reason: str) -> None:
    act = governed.proposed(governed.on_itself("updateDelay", delay))
    assert governed.reverted(governed.execute(act)) == reason


def test_another_delay_holds_for_acts_proposed_from_then_on(governed: GovernedBrands) -> None:
    governed.done(governed.on_itself("updateDelay", SECONDS_PER_DAY))
    assert governed.view("getMinDelay") == SECONDS_PER_DAY
    governed.done(governed.limit(), delay=SECONDS_PER_DAY)


def test_a_sandbox_takes_a_delay_of_nothing_by_an_act() -> None:
    governed = GovernedBrands(sandbox=True)
    governed.done(governed.on_itself("updateDelay", 0))
    assert governed.view("getMinDelay") == 0


# The operator that is lost


def proposed_operator(governed: GovernedBrands, salt: int = 0) -> Act:
    act = governed.on_itself("replaceOperator", address_of(SUCCESSOR)).again(salt)
    outcome = governed.transact("proposeOperator", address_of(SUCCESSOR), act.salt, sender=GUARDIAN)
    assert outcome.succeeded, governed.reverted(outcome)
    return act


def test_the_guardian_proposes_another_operator_and_nothing_else(governed: GovernedBrands) -> None:
    act = proposed_operator(governed, 5)
    assert governed.ready(act) == governed.chain.timestamp + 3 * DELAY
    assert governed.reverted(governed.execute(act)) == "TimelockUnexpectedOperationState"
    governed.chain.set_time(governed.ready(act))
    assert governed.execute(act).succeeded
    assert governed.view("operator") == hex_of(address_of(SUCCESSOR))


@pytest.mark.parametrize("sender", ["operator", "stranger", "ann"])
def test_nobody_else_proposes_in_the_guardians_place(governed: GovernedBrands, sender: str) -> None:
    outcome = governed.transact("proposeOperator", address_of(SUCCESSOR), bytes(32), sender=key_of(sender))
    assert governed.reverted(outcome) == "NotGuardian"


def test_an_operator_that_the_guardian_proposes_needs_approvals_like_any_act(governed: GovernedBrands) -> None:
    act = proposed_operator(governed)
    governed.chain.set_time(governed.ready(act))
    assert governed.reverted(governed.execute(act, governed.approvals(act, 1))) == "TooFewApprovals"
