"""With the operator's account alone nobody is re-keyed, nothing is issued, taken or spent: every state-changing function, from the ABI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import pytest
from eth_keys import keys

from gateway.ledger.entries import Issue, Redeem, encode_entry
from gateway.ledger.framing import pack_entries
from gateway.ledger.lots import Line
from gateway.ledger.member_acts import Grant, SetGuardian, SpendLock, delayed_act_arguments, grant_to_brand, member_act_digest
from gateway.ledger.members import authorizer_id
from gateway.ledger.owner_acts import HandOver, SetBrandKey, SetBrandTerms, SetExposure, owner_act_digest
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.settlement import SettledPair, cycle_digest, cycle_over
from gateway.ledger.signing import Domain
from gateway.values.ids import Address, Hash, MemberId
from tests.builders.abi import ContractAbi, contract_abi
from tests.builders.governance_acts import NONE, Act
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import COALITION_ID, FOREVER, Outcome, address_of, key_of
from tests.builders.points_ledger import TERMS, PointsLedger, registration, signature
from tests.builders.settlement import as_call, as_tuple

GROCER, FUEL = 1, 2
OPERATOR = key_of("operator")
ME = address_of(OPERATOR)
SUCCEEDS = ""
"""For what anybody may do and what gives nobody anything."""


def signed_batch(ledger: PointsLedger, ann: bytes) -> tuple[Any, ...]:
    entries = [Issue(ann, 0, 10**9, BASIS, NONE), ledger.clawback(GROCER, ann, Line(GROCER, 0, 1), number=1)]
    return ledger.signed(GROCER, 900, pack_entries([encode_entry(entry) for entry in entries]), key=OPERATOR)


def own_key(ledger: PointsLedger) -> tuple[Any, ...]:
    act = SetBrandKey(GROCER, Address(ME), 0, FOREVER, False, turn(ledger), FOREVER)
    return GROCER, ME, (0, FOREVER, False), (turn(ledger), FOREVER, signature(OPERATOR, owner_act_digest(ledger.brands_domain, act)))


def own_terms(ledger: PointsLedger) -> tuple[Any, ...]:
    act = SetBrandTerms(GROCER, TERMS, turn(ledger), FOREVER)
    signed = signature(OPERATOR, owner_act_digest(ledger.brands_domain, act))
    return GROCER, (1, 100, 1, 100, 50, 90, 30), (turn(ledger), FOREVER, signed)


def own_brand(ledger: PointsLedger) -> tuple[Any, ...]:
    signed = signature(OPERATOR, owner_act_digest(ledger.brands_domain, HandOver(GROCER, Address(ME), True, turn(ledger), FOREVER)))
    return GROCER, ME, True, (turn(ledger), FOREVER, signed), signed


def own_exposure(ledger: PointsLedger) -> tuple[Any, ...]:
    act = SetExposure(GROCER, FUEL, 2**96 - 1, turn(ledger), FOREVER)
    return GROCER, FUEL, 2**96 - 1, (turn(ledger), FOREVER, signature(OPERATOR, owner_act_digest(ledger.brands_domain, act)))


def turn(ledger: PointsLedger) -> int:
    """Of the owner's next act."""
    return int(ledger.view("ownerActs", GROCER))


Arguments = Callable[[PointsLedger, bytes], tuple[Any, ...]]


def fixed(*arguments: Any) -> Arguments:
    return lambda ledger, ann: arguments


POINTS_LEDGER: dict[str, tuple[Arguments, str]] = {
    "submitBatch": (signed_batch, "BatchKeyNotValid"),
    "pause": (fixed(), "NotGuardian"),
    "unpause": (fixed(), "NotGuardian"),
    "rearmPause": (fixed(), "NotGovernance"),
    "release": (fixed(NONE, []), "NothingToRelease"),
    "lowerExposure": (fixed(GROCER, FUEL, 10**9), "NotSettlement"),
}
MEMBERS: dict[str, tuple[Arguments, str]] = {
    "enroll": (fixed([(1, ME, NONE)]), SUCCEEDS),  # a member of its own
    "changeAuthorizers": (lambda ledger, ann: ((ann, 1, ME, NONE, 0, FOREVER), 1, bytes(65)), "MemberProofInvalid"),
    "setGrant": (
        lambda ledger, ann: signed_by_me(ledger, Grant(MemberId(ann), grant_to_brand(GROCER), 1, 1, 1, FOREVER, 0, FOREVER)),
        "AuthorizerAbsent",
    ),
    "lockSpending": (lambda ledger, ann: signed_by_me(ledger, SpendLock(MemberId(ann), 0, FOREVER)), "AuthorizerAbsent"),
    "requestAct": (lambda ledger, ann: signed_by_me(ledger, SetGuardian(MemberId(ann), 1, ME, 0, FOREVER)), "AuthorizerAbsent"),
    "executeAct": (lambda ledger, ann: ((3, ann, 1, ME, 0, FOREVER),), "ActNotPending"),
    "vetoAct": (fixed(NONE, 1, bytes(65)), "ActNotPending"),
    "spend": (lambda ledger, ann: (ann, grant_to_brand(GROCER), 1, 0), "NotPointsLedger"),
}
BRANDS: dict[str, tuple[Arguments, str]] = {
    "setBrandKey": (lambda ledger, ann: own_key(ledger), "NotSignedBy"),
    "setBrandTerms": (lambda ledger, ann: own_terms(ledger), "NotSignedBy"),
    "handOver": (lambda ledger, ann: own_brand(ledger), "NotSignedBy"),
    "setExposure": (lambda ledger, ann: own_exposure(ledger), "NotSignedBy"),
    "registerBrand": (fixed(registration(9, owner=key_of("x").public_key.to_canonical_address(), key=ME)), "NotGovernance"),
    "setBrandStatus": (fixed(GROCER, 2), "NotGovernance"),
    "startRunOff": (fixed(GROCER, 2**24 - 1), "NotGovernance"),
    "setBrandLimit": (fixed(GROCER, 2**96 - 1), "NotGovernance"),
    "setBrandOwner": (fixed(GROCER, ME), "NotGovernance"),
}


def own_cycle(ledger: PointsLedger, ann: bytes) -> tuple[Any, ...]:
    """That nothing is owed between the two brands any more."""
    domain = Domain(ledger.chain.chain_id, Address(ledger.settlement), Hash(COALITION_ID))
    cycle = cycle_over(Hash(NONE), 0, [SettledPair(GROCER, FUEL, 1, 10, 10)], FOREVER)
    return as_tuple(cycle), [signature(OPERATOR, cycle_digest(domain, cycle))] * 2


def of_own_cycle(ledger: PointsLedger, ann: bytes) -> tuple[Any, ...]:
    pairs = [SettledPair(GROCER, FUEL, 1, 10, 10)]
    return as_tuple(cycle_over(Hash(b"\x01" * 32), 0, pairs, FOREVER)), [as_call(pairs, 0)]


SETTLEMENT: dict[str, tuple[Arguments, str]] = {
    "agree": (own_cycle, "CycleNotSignedBy"),
    "applyPairs": (of_own_cycle, "CycleNotAgreed"),
    "confirmPaid": (lambda ledger, ann: (*of_own_cycle(ledger, ann), bytes(65)), "CycleNotAgreed"),
}
LEDGER = POINTS_LEDGER | MEMBERS | BRANDS | SETTLEMENT


def signed_by_me(ledger: PointsLedger, act: Grant | SpendLock | SetGuardian) -> tuple[Any, ...]:
    """A member's act under the operator's signature."""
    proof = signature(OPERATOR, member_act_digest(ledger.members_domain, act))
    told = (delayed_act_arguments(act),) if isinstance(act, SetGuardian) else (astuple(act),) if isinstance(act, Grant) else astuple(act)
    return *told, 1, proof


def somebodys_anchor(ledger: PointsLedger, ann: bytes) -> tuple[Any, ...]:
    return ([(address_of(key_of(f"owner {GROCER}")), 1, NONE, 0, NONE, b"\x01" * 32, 1, bytes(65))],)


ANCHORS: dict[str, tuple[Arguments, str]] = {"anchor": (somebodys_anchor, "AnchorSignatureInvalid")}


def own_act(ledger: PointsLedger) -> Act:
    """That the operator owns the grocer."""
    return Act(((ledger.brands, 0, contract_abi("Brands").call("setBrandOwner", GROCER, ME)),), salt=b"\x07" * 32)


def own_acts(ledger: PointsLedger) -> Act:
    return Act(((ledger.brands, 0, contract_abi("Brands").call("setBrandLimit", GROCER, 2**96 - 1)),) * 2, is_batch=True, salt=b"\x07" * 32)


def veto(ledger: PointsLedger, ann: bytes) -> tuple[Any, ...]:
    fields = [("operation", "bytes32"), ("brand", "uint32")]
    message = {"operation": own_act(ledger).operation, "brand": GROCER}
    return *own_act(ledger).arguments, ledger.governance.signed(OPERATOR, "Veto", fields, message, {})


GOVERNANCE: dict[str, tuple[Arguments, str]] = {
    "schedule": (lambda ledger, ann: (*own_act(ledger).arguments, 0), SUCCEEDS),  # it proposes, in the open
    "scheduleBatch": (lambda ledger, ann: (*own_acts(ledger).arguments, 0), SUCCEEDS),
    "execute": (lambda ledger, ann: own_act(ledger).arguments, "ApprovalsMissing"),
    "executeBatch": (lambda ledger, ann: own_acts(ledger).arguments, "ApprovalsMissing"),
    "executeApproved": (lambda ledger, ann: (*own_act(ledger).arguments, approvals(ledger, own_act(ledger))), "NotAnApprover"),
    "executeBatchApproved": (lambda ledger, ann: (*own_acts(ledger).arguments, approvals(ledger, own_acts(ledger))), "NotAnApprover"),
    "cancel": (lambda ledger, ann: (own_act(ledger).operation,), "AccessControlUnauthorizedAccount"),
    "veto": (veto, "NotBrandOwner"),
    "proposeOperator": (fixed(ME, NONE), "NotGuardian"),
    "replaceOperator": (fixed(ME), "TimelockUnauthorizedCaller"),
    "replaceGuardian": (fixed(ME), "TimelockUnauthorizedCaller"),
    "setApprovers": (fixed([ME], 1), "TimelockUnauthorizedCaller"),
    "updateDelay": (fixed(0), "TimelockUnauthorizedCaller"),
    "onERC721Received": (fixed(ME, ME, 0, b""), SUCCEEDS),  # says that it may be sent tokens, and keeps nothing
    "onERC1155Received": (fixed(ME, ME, 0, 0, b""), SUCCEEDS),
    "onERC1155BatchReceived": (fixed(ME, ME, [], [], b""), SUCCEEDS),
}


def approvals(ledger: PointsLedger, act: Act) -> list[tuple[int, int, bytes]]:
    """As many as are needed, in order, all by keys the operator made itself."""
    own = sorted((OPERATOR, key_of("the operator's second person")), key=address_of)
    return [ledger.governance.approval(act, key) for key in own]


def changing(abi: ContractAbi) -> set[str]:
    return {name for name, item in abi.functions.items() if item["stateMutability"] not in ("view", "pure")}


def what_must_not_change(ledger: PointsLedger, ann: bytes) -> tuple[Any, ...]:
    governance = ledger.governance
    return (
        [ledger.view(name, brand) for brand in (GROCER, FUEL, 9) for name in ("brand", "brandOwner", "ownerActs", "brandTerms")],
        [ledger.view("exposureLimit", *pair) for pair in ((GROCER, FUEL), (FUEL, GROCER))],
        [ledger.view("brandKey", brand, ME) for brand in (GROCER, FUEL)],
        [ledger.held(ann, brand) for brand in (GROCER, FUEL)],
        (ledger.view("exposure", GROCER, FUEL), ledger.view("settled", GROCER, FUEL, 1), ledger.view("lastSettled", 0, GROCER)),
        (ledger.view("pauseState"), ledger.view("memberActs", ann), ledger.view("memberTurn", ann), ledger.view("passkeyVerifier")),
        [governance.view(name) for name in ("operator", "guardian", "approvers", "threshold", "getMinDelay")],
    )


@pytest.fixture
def holder(ledger: PointsLedger) -> bytes:
    member = ledger.enroll("ann")
    for brand in (GROCER, FUEL):
        assert ledger.submit(brand, [Issue(member, 0, 500, BASIS, NONE)]) == []
    return member


def test_every_state_changing_function_is_listed_here() -> None:
    assert changing(contract_abi("PointsLedger")) == set(POINTS_LEDGER)
    assert changing(contract_abi("Members")) == set(MEMBERS)
    assert changing(contract_abi("Brands")) == set(BRANDS)
    assert changing(contract_abi("Settlement")) == set(SETTLEMENT)
    assert changing(contract_abi("Anchors")) == set(ANCHORS)
    assert changing(contract_abi("Governance")) == set(GOVERNANCE)


@pytest.mark.parametrize("function", LEDGER)
def test_the_operator_alone_changes_nothing_of_the_ledger(ledger: PointsLedger, holder: bytes, function: str) -> None:
    arguments, reason = LEDGER[function]
    before = what_must_not_change(ledger, holder)
    outcome = ledger.transact(function, *arguments(ledger, holder), sender=OPERATOR)
    expect(ledger, outcome, reason)
    assert what_must_not_change(ledger, holder) == before


@pytest.mark.parametrize("function", GOVERNANCE)
def test_the_operator_alone_changes_nothing_of_governance(ledger: PointsLedger, holder: bytes, function: str) -> None:
    arguments, reason = GOVERNANCE[function]
    governance = ledger.governance
    if not function.startswith("schedule"):
        assert governance.propose(own_act(ledger)).succeeded
        assert governance.propose(own_acts(ledger)).succeeded
    before = what_must_not_change(ledger, holder)
    outcome = governance.transact(function, *arguments(ledger, holder), sender=OPERATOR)
    expect(ledger, outcome, reason)
    assert what_must_not_change(ledger, holder) == before


@pytest.mark.parametrize("function", ANCHORS)
def test_the_operator_alone_anchors_nothing_in_anothers_name(ledger: PointsLedger, function: str) -> None:
    arguments, reason = ANCHORS[function]
    abi = contract_abi("Anchors")
    address = ledger.chain.deploy(abi.creation(COALITION_ID))
    outcome = ledger.chain.send(address, abi.call(function, *arguments(ledger, NONE)), sender=OPERATOR)
    assert abi.error(outcome.output)[0] == reason


def expect(ledger: PointsLedger, outcome: Outcome, reason: str) -> None:
    if reason == SUCCEEDS:
        assert outcome.succeeded, ledger.reverted(outcome)
    else:
        assert ledger.reverted(outcome) == reason


def test_the_attack_that_took_two_seconds_takes_nothing(ledger: PointsLedger, holder: bytes) -> None:
    """It gave a brand a key of its own, issued in its name, clawed a member's points back and redeemed its own elsewhere."""
    me = ledger.enroll("operator")
    before = what_must_not_change(ledger, holder)
    for key in attackers(ledger):
        assert ledger.reverted(ledger.set_brand_key(GROCER, ME, 0, FOREVER, key)) == "NotSignedBy"
    assert ledger.governance.propose(own_act(ledger)).succeeded
    ledger.chain.set_time(ledger.now + 29 * 86_400)
    outcome = ledger.governance.execute(own_act(ledger), approvals(ledger, own_act(ledger)))
    assert ledger.reverted(outcome) == "NotAnApprover"
    for brand in (GROCER, FUEL):
        data = pack_entries([encode_entry(Issue(me, 0, 10**12, BASIS, NONE))])
        arguments = ledger.signed(brand, ledger.next_number(), data, key=OPERATOR)
        assert ledger.reverted(ledger.transact("submitBatch", *arguments, sender=OPERATOR)) == "BatchKeyNotValid"
    spend = ledger.consented(Redeem, FUEL, holder, [Line(FUEL, 0, 500)], key=OPERATOR)
    assert ledger.submit(FUEL, [spend]) == [(0, RefusalReason.NOT_AN_AUTHORIZER)], "nor with a brand that lends its batch"
    assert not ledger.view("isAuthorizer", holder, authorizer_id(1, ME))
    assert what_must_not_change(ledger, holder) == before


def attackers(ledger: PointsLedger) -> list[keys.PrivateKey]:
    """What the operator may hold: its own account's key, and the batch key of a brand it manages."""
    return [OPERATOR, key_of(f"brand {GROCER}")]
