"""What roles can do together, on a deployment by the product's own commands: each line of the table of pairs has its test here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from eth_account.signers.local import LocalAccount

from gateway.chain.artifacts import brands
from gateway.ledger.governance import NO_PREDECESSOR
from gateway.ledger.member_acts import Recovery, RemoveAuthorizer, Veto, delayed_act_arguments, member_act_digest
from gateway.ledger.owner_acts import SetBrandKey
from gateway.values.ids import Address
from tests.builders.commanded_coalition import BRAND
from tests.trust.attack import ATTACK
from tests.trust.ground import DONE, FOREVER, Ground, OneAct
from tests.trust.member_powers import MEMBERS
from tests.trust.pairs import TOGETHER, lines_together
from tests.trust.powers import BRANDS, LEDGER
from tests.trust.second_brand import MANAGED
from tests.trust.standing import member_act_signed, own_key

DOCUMENT = Path(__file__).parents[2] / "docs" / "trust.md"


def proposed(ground: Ground, act: OneAct, delays: int = 1) -> OneAct:
    ground.send("operator", "Governance", "schedule", *act.arguments, delays * ground.known.delay_seconds)
    return act


def ready(ground: Ground, act: OneAct, delays: int = 1) -> OneAct:
    proposed(ground, act, delays)
    ground.pass_time(delays * ground.known.delay_seconds)
    return act


def executed_by(ground: Ground, act: OneAct, *accounts: LocalAccount) -> str:
    """The answer to its execution with these accounts' approvals."""
    approvals = ground.approvals(act.id, *accounts)
    return ground.answer(ground.keys["operator"], "Governance", "executeApproved", *act.arguments, approvals)


def approver_keys(ground: Ground) -> tuple[LocalAccount, LocalAccount]:
    return ground.keys["approver"], ground.second_approver


def test_the_document_has_the_lines_that_are_tried() -> None:
    table = "\n".join(lines_together())
    assert table in DOCUMENT.read_text(), f"put this into {DOCUMENT.name}:\n{table}"


def test_every_line_has_its_test() -> None:
    assert {f"test_{name}" for name in TOGETHER} <= set(globals())


def test_operator_and_guardian(ground: Ground) -> None:
    act = ready(ground, ground.own_brand.again("with the guardian"))
    operator, guardian = ground.keys["operator"], ground.keys["guardian"]
    assert executed_by(ground, act) == "TooFewApprovals"
    assert executed_by(ground, act, operator, guardian) == "NotAnApprover"
    for role in ("operator", "guardian"):
        accounts = [ground.address("operator"), ground.address("guardian")]
        assert ground.answer(ground.keys[role], "Governance", "setApprovers", accounts, 1) == "TimelockUnauthorizedCaller"


def test_operator_and_one_approver(ground: Ground) -> None:
    act = ready(ground, ground.own_brand.again("with one approver"))
    approver = ground.keys["approver"]
    assert executed_by(ground, act, approver) == "TooFewApprovals"
    assert executed_by(ground, act, approver, approver) == "ApprovalsNotAscending"
    assert executed_by(ground, act, approver, ground.keys["operator"]) == "NotAnApprover"


def test_operator_and_enough_approvers(ground: Ground) -> None:
    act = proposed(ground, ground.own_brand.again("with two approvers"))
    assert executed_by(ground, act, *approver_keys(ground)) == "TimelockUnexpectedOperationState", "not before the delay"
    ground.pass_time(ground.known.delay_seconds)
    assert executed_by(ground, act, *approver_keys(ground)) == DONE
    guardian, owner = ground.keys["guardian"], ground.keys["brand owner"]
    assert ground.answer(guardian, "Governance", "cancel", act.id) == DONE
    assert ground.answer(owner, "Governance", "veto", *act.arguments, ground.veto(owner, act)) == DONE


def test_operator_and_enough_approvers_against_the_guardian(ground: Ground) -> None:
    act = ground.act("Governance", "replaceGuardian", Address(b"\x77" * 20))
    short = (*act.arguments, ground.known.delay_seconds)
    assert ground.answer(ground.keys["operator"], "Governance", "schedule", *short) == "GuardianDelayTooShort"
    batch = [act.target], [0], [act.data], NO_PREDECESSOR, act.salt, 10**6
    assert ground.answer(ground.keys["operator"], "Governance", "scheduleBatch", *batch) == "MustStandAlone"
    proposed(ground, act, delays=3)
    ground.pass_time(2 * ground.known.delay_seconds)
    assert ground.answer(ground.keys["guardian"], "Governance", "cancel", act.id) == "BeyondGuardian"
    assert executed_by(ground, act, *approver_keys(ground)) == "TimelockUnexpectedOperationState"
    ground.pass_time(ground.known.delay_seconds)
    assert executed_by(ground, act, *approver_keys(ground)) == DONE


def test_guardian_and_enough_approvers(ground: Ground) -> None:
    act = OneAct(ground.contract("Governance"), ground.act("Governance", "replaceOperator", Address(b"\x78" * 20)).data, b"\x05" * 32)
    ground.send("guardian", "Governance", "proposeOperator", Address(b"\x78" * 20), act.salt)
    ground.pass_time(2 * ground.known.delay_seconds)
    assert executed_by(ground, act, *approver_keys(ground)) == "TimelockUnexpectedOperationState"
    assert ground.answer(ground.keys["operator"], "Governance", "cancel", act.id) == "AccessControlUnauthorizedAccount"
    ground.pass_time(ground.known.delay_seconds)
    assert executed_by(ground, act, *approver_keys(ground)) == DONE


def test_guardian_and_brand_owner(ground: Ground) -> None:
    guardian, owner = ground.keys["guardian"], ground.keys["brand owner"]
    act = ground.higher_limit.again("their own")
    for account in (guardian, owner):
        assert ground.answer(account, "Governance", "schedule", *act.arguments, 10**6) == "AccessControlUnauthorizedAccount"
    assert executed_by(ground, ground.higher_limit, guardian, owner) == "NotAnApprover"
    assert ground.answer(guardian, "Governance", "cancel", ground.higher_limit.id) == DONE
    assert ground.answer(owner, "Governance", "veto", *ground.own_brand.arguments, ground.veto(owner, ground.own_brand)) == DONE


def test_operator_and_a_members_guardian(ground: Ground) -> None:
    taken = Recovery(ground.ann, 1, bytes(Address.parse(own_key("a wallet of the friend's").address)), 7, FOREVER)
    operator, member, friend, act = ground.keys["operator"], ground.keys["member"], own_key("a friend"), delayed_act_arguments(taken)
    for account, expected in ((operator, "NotGuardian"), (friend, DONE)):
        assert ground.answer(operator, "Members", "requestAct", act, 1, member_act_signed(ground, account, taken)) == expected
    ground.send("operator", "Members", "requestAct", act, 1, member_act_signed(ground, friend, taken))
    assert ground.answer(operator, "Members", "executeAct", act) == "ActNotReady"
    ground.pass_time(ground.view("Members", "memberDelay"))
    assert ground.answer(operator, "Members", "executeAct", act) == DONE
    waiting = member_act_digest(ground.known.domain("Members"), taken)
    for account, expected in ((operator, "AuthorizerAbsent"), (member, DONE)):
        signature = member_act_signed(ground, account, Veto(ground.ann, waiting))
        assert ground.answer(operator, "Members", "vetoAct", waiting, 1, signature) == expected


def test_approvers_without_the_operator(ground: Ground) -> None:
    act = ground.own_brand.again("of the approvers")
    for account in approver_keys(ground):
        assert ground.answer(account, "Governance", "schedule", *act.arguments, 10**6) == "AccessControlUnauthorizedAccount"
    assert executed_by(ground, act, *approver_keys(ground)) == "TimelockUnexpectedOperationState"


def test_operator_and_brand_owner(ground: Ground) -> None:
    for role in ("operator", "brand owner"):
        assert ground.answer(ground.keys[role], "Brands", "setBrandLimit", BRAND, 2**96 - 1) == "NotGovernance"
        assert ground.answer(ground.keys[role], "Brands", "setBrandStatus", BRAND, 2) == "NotGovernance"
    by_owner = BRANDS["setBrandKey"].arguments(ground, ground.keys["brand owner"], "brand owner")
    assert ground.answer(ground.keys["operator"], "Brands", "setBrandKey", *by_owner) == DONE


def test_two_brands(ground: Ground) -> None:
    assert ATTACK["flooded"].answers[-1] == "ExposureExceeded", "tried in test_attack.py: nothing was accepted of the other's points"
    call = brands().call("issuer", BRAND, MANAGED)
    _, _, most = brands().returned("issuer", ground.chain.eth_call(ground.contract("Brands"), call))
    assert most == 1_000, "what the owner of brand 2 takes of brand 1's points"


def test_operator_and_a_stolen_wallet(ground: Ground) -> None:
    stolen, operator = own_key("a spare wallet"), ground.keys["operator"]
    removed = RemoveAuthorizer(ground.ann, 1, bytes(ground.address("member")), ground.standing.acts_of_ann, FOREVER)
    act = delayed_act_arguments(removed)
    ground.send("operator", "Members", "requestAct", act, 1, member_act_signed(ground, stolen, removed))
    ground.standing = replace(ground.standing, acts_of_ann=ground.standing.acts_of_ann + 1)
    assert ground.answer(operator, "Members", "executeAct", act) == "ActNotReady"
    waiting = member_act_digest(ground.known.domain("Members"), removed)
    for account in (ground.keys["member"], own_key("a friend")):
        signature = member_act_signed(ground, account, Veto(ground.ann, waiting))
        assert ground.answer(operator, "Members", "vetoAct", waiting, 1, signature) == DONE
    locked = MEMBERS["lockSpending"].arguments(ground, ground.keys["member"], "member")
    assert ground.answer(operator, "Members", "lockSpending", *locked) == DONE


def test_operator_and_batch_key(ground: Ground) -> None:
    key, owner = ground.keys["batch key"], ground.keys["brand owner"]
    submitted = LEDGER["submitBatch"].arguments(ground, key, "batch key")
    assert ground.answer(ground.keys["operator"], "PointsLedger", "submitBatch", *submitted) == DONE, "whoever relays it"
    taken = SetBrandKey(BRAND, ground.address("operator"), 0, FOREVER, False, 0, FOREVER)
    for account, expected in ((key, "NotSignedBy"), (ground.keys["operator"], "NotSignedBy"), (owner, DONE)):
        signed = 0, FOREVER, ground.owner_act(account, taken)
        assert ground.answer(account, "Brands", "setBrandKey", BRAND, taken.key, (0, FOREVER, False), signed) == expected
