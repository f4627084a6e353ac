"""What the sealer's clock makes possible with each role, tried on a deployment of its own, whose time is soon years ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from time import sleep

import pytest
from eth_account.signers.local import LocalAccount

from gateway.ledger.consents import reservation_id_of
from gateway.ledger.entries import Authorize, Capture, Clawback, Expire, encode_entry
from gateway.ledger.issue_parts import ShownIssue
from gateway.ledger.lots import Line, expiry_day_for, lot_id
from gateway.ledger.member_acts import (
    AuthorizerChange,
    DelayedAct,
    Grant,
    MemberAct,
    Recovery,
    RemoveAuthorizer,
    SetGuardian,
    SpendLock,
    Unlock,
    delayed_act_arguments,
    grant_to_brand,
)
from gateway.ledger.owner_acts import SetBrandKey, SetBrandTerms
from gateway.ledger.terms import LedgerTerms
from gateway.values.calendar import SECONDS_PER_DAY, wall_clock
from gateway.values.errors import Invalid
from gateway.values.ids import Address, Hash, Reference
from tests.builders.commanded_coalition import BRAND, commanded_coalition
from tests.trust.batches import HELD, authorized, holder, issue, next_number, redeemed, submit, under_grant
from tests.trust.ground import DONE, FOREVER, Ground
from tests.trust.own_signer import answer_of_its_signer
from tests.trust.sealer_pairs import WITH_SEALER, lines_with_sealer
from tests.trust.second_brand import answers_to
from tests.trust.standing import member_act_signed, own_key

DOCUMENT = Path(__file__).parents[2] / "docs" / "trust.md"
NO_REFERENCE = Reference(bytes(32))
SHORT = 3  # seconds that truly pass


@pytest.fixture(scope="module")
def ahead(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with commanded_coalition(tmp_path_factory.mktemp("ahead")) as made:
        yield Ground(made)


def key_of(account: LocalAccount) -> bytes:
    return bytes(Address.parse(account.address))


def request(ground: Ground, account: LocalAccount, act: DelayedAct) -> None:
    signature = member_act_signed(ground, account, act)
    ground.send("operator", "Members", "requestAct", delayed_act_arguments(act), 1, signature)


def at_once(ground: Ground, function: str, account: LocalAccount, act: MemberAct) -> None:
    arguments = (astuple(act),) if function == "changeAuthorizers" else astuple(act)
    ground.send("operator", "Members", function, *arguments, 1, member_act_signed(ground, account, act))


def carried_out(ground: Ground, *acts: DelayedAct) -> None:
    """Not before the member's delay, and by the sealer's clock in the next block."""
    for act in acts:
        assert ground.answer(ground.keys["operator"], "Members", "executeAct", delayed_act_arguments(act)) == "ActNotReady"
    ground.pass_time(ground.view("Members", "memberDelay"))
    for act in acts:
        ground.send("operator", "Members", "executeAct", delayed_act_arguments(act))


def test_the_document_has_the_lines_that_are_tried() -> None:
    table = "\n".join(lines_with_sealer())
    assert table in DOCUMENT.read_text(), f"put this into {DOCUMENT.name}:\n{table}"


def test_every_line_has_its_test() -> None:
    assert {f"test_{name}" for name in WITH_SEALER} <= set(globals())


def reserved(ground: Ground, name: str) -> tuple[Authorize, Hash]:
    """A member whose key has this name reserved all that she holds, and a stranger could release it once it is overdue."""
    asked = authorized(ground, holder(ground, own_key(name)), own_key(name))
    reservation = reservation_id_of(ground.known.domain("PointsLedger"), BRAND, asked)
    assert submit(ground, next_number(), asked) == [DONE]
    assert ground.answer(ground.keys["anybody"], "PointsLedger", "release", *released(reservation)) == "DeadlineNotPassed"
    return asked, reservation


def released(reservation: Hash) -> tuple[Hash, list[int]]:
    return reservation, [lot_id(BRAND, 0)]


def test_sealer_alone(ahead: Ground) -> None:
    """The operator relays nothing of the member's: nobody asks her."""
    asked, reservation = reserved(ahead, "an honest wallet")
    ahead.pass_time(3_600)
    ahead.send("operator", "PointsLedger", "release", *released(reservation))
    assert submit(ahead, next_number(), Capture(reservation, NO_REFERENCE, HELD, asked.lines)) == ["ReservationClosed"]


def test_sealer_and_member(ahead: Ground) -> None:
    asked, reservation = reserved(ahead, "a spender's wallet")
    ahead.pass_time(3_600)
    ahead.send("operator", "PointsLedger", "release", *released(reservation))
    again = redeemed(ahead, asked.member, own_key("a spender's wallet"))
    assert submit(ahead, next_number(), again) == [DONE], "the same points, a second time"


def test_sealer_against_the_guardian(ahead: Ground) -> None:
    """Time that truly passes ends no pause either, where the sealer writes none."""
    member = holder(ahead, own_key("a wallet in between"))
    ahead.send("guardian", "PointsLedger", "pause")
    with pytest.raises(Invalid, match="Paused"):
        submit(ahead, next_number(), issue(member))
    ahead.pass_time(72 * 3_600)
    assert submit(ahead, next_number(), issue(member)) == [DONE]
    assert ahead.answer(ahead.keys["guardian"], "PointsLedger", "pause") == "PauseSpent"


def held_back(ground: Ground) -> None:
    """The next block is sealed with its parent's time, whatever has truly passed."""
    ground.chain.call("evm_setNextBlockTimestamp", hex(ground.now))


def key_until(ground: Ground, name: str, until: int) -> LocalAccount:
    key, nonce = own_key(name), ground.view("Brands", "ownerActs", BRAND)
    act = SetBrandKey(BRAND, Address.parse(key.address), 0, until, False, nonce, FOREVER)
    signed = nonce, FOREVER, ground.owner_act(ground.keys["brand owner"], act)
    ground.send("operator", "Brands", "setBrandKey", BRAND, act.key, (0, until, False), signed)
    return key


def test_sealer_with_a_clock_that_lags(ahead: Ground) -> None:
    """Seconds for a key's years: they are over by true time, and by the chain's where the sealer is honest."""
    wallet = own_key("a wallet of old")
    member = holder(ahead, wallet)
    for is_honest in (True, False):
        key = key_until(ahead, f"a key for a while {is_honest}", ahead.now + SHORT)
        asked = authorized(ahead, member, wallet, SHORT)
        sleep(SHORT + 1)
        if is_honest:
            with pytest.raises(Invalid, match="was refused by the ledger"):
                answers_to(ahead, key, BRAND, next_number(), [asked])
            assert submit(ahead, next_number(), asked) == ["ConsentExpired"]
        else:
            held_back(ahead)
            assert answers_to(ahead, key, BRAND, next_number(), [asked]) == [DONE]
    reservation = reservation_id_of(ahead.known.domain("PointsLedger"), BRAND, asked)
    assert ahead.answer(ahead.keys["anybody"], "PointsLedger", "release", *released(reservation)) == "DeadlineNotPassed"


def test_sealer_and_grantee(ahead: Ground) -> None:
    wallet = own_key("a granting wallet")
    member = holder(ahead, wallet)
    assert submit(ahead, next_number(), issue(member), issue(member)) == [DONE, DONE]
    grant = Grant(member, grant_to_brand(BRAND), HELD, HELD, 3 * HELD, FOREVER, 0, FOREVER)
    ahead.send("operator", "Members", "setGrant", astuple(grant), 1, member_act_signed(ahead, wallet, grant))
    assert submit(ahead, next_number(), under_grant(ahead, member)) == [DONE]
    assert submit(ahead, next_number(), under_grant(ahead, member)) == ["GrantExceeded"]
    for _ in range(2):
        ahead.pass_time(SECONDS_PER_DAY)
        assert submit(ahead, next_number(), under_grant(ahead, member)) == [DONE]


def test_sealer_and_one_authorizer(ahead: Ground) -> None:
    wallet, stolen = own_key("a locked wallet"), own_key("a stolen phone")
    member = holder(ahead, wallet)
    at_once(ahead, "changeAuthorizers", wallet, AuthorizerChange(member, 1, key_of(stolen), Hash(bytes(32)), 0, FOREVER))
    at_once(ahead, "lockSpending", wallet, SpendLock(member, 0, FOREVER))
    assert submit(ahead, next_number(), redeemed(ahead, member, stolen)) == ["MemberLocked"]
    unlock, removal = Unlock(member, 1, FOREVER), RemoveAuthorizer(member, 1, key_of(wallet), 2, FOREVER)
    for act in (unlock, removal):
        request(ahead, stolen, act)
    carried_out(ahead, unlock, removal)
    assert submit(ahead, next_number(), redeemed(ahead, member, wallet)) == ["NotAnAuthorizer"]
    assert submit(ahead, next_number(), redeemed(ahead, member, stolen)) == [DONE]


def test_sealer_and_a_members_guardian(ahead: Ground) -> None:
    wallet, friend, taken = own_key("a guarded wallet"), own_key("a false friend"), own_key("a friend's wallet")
    member = holder(ahead, wallet)
    request(ahead, wallet, SetGuardian(member, 1, key_of(friend), 0, FOREVER))  # the first one, at once
    recovery = Recovery(member, 1, key_of(taken), 7, FOREVER)
    request(ahead, friend, recovery)
    carried_out(ahead, recovery)
    assert submit(ahead, next_number(), redeemed(ahead, member, wallet)) == ["NotAnAuthorizer"]
    assert submit(ahead, next_number(), redeemed(ahead, member, taken)) == [DONE]


def test_sealer_and_brand_owner(ahead: Ground) -> None:
    worse, before = (1, 2, 1, 100, 50, 30, 0), ahead.view("Brands", "brandTerms", BRAND)[0]
    nonce = ahead.view("Brands", "ownerActs", BRAND)
    act = SetBrandTerms(BRAND, LedgerTerms(*worse), nonce, FOREVER)
    signed = nonce, FOREVER, ahead.owner_act(ahead.keys["brand owner"], act)
    ahead.send("operator", "Brands", "setBrandTerms", BRAND, worse, signed)
    assert ahead.view("Brands", "brandTerms", BRAND)[0][:4] == before[:4], "not before the notice"
    ahead.pass_time(before[-1] * SECONDS_PER_DAY)
    assert ahead.view("Brands", "brandTerms", BRAND)[0] == worse


def test_sealer_and_batch_key(ahead: Ground) -> None:
    offset = ahead.view("PointsLedger", "utcOffsetSeconds")
    day = expiry_day_for(ahead.now, offset, 12)
    member = holder(ahead, own_key("a saver's wallet"), day)
    assert submit(ahead, next_number(), Expire(member, day, HELD)) == ["LotNotExpired"]
    ahead.pass_time((day + 1) * SECONDS_PER_DAY - offset - ahead.now)
    assert submit(ahead, next_number(), Expire(member, day, HELD)) == [DONE]


def test_sealer_and_a_brands_own_signer(ahead: Ground) -> None:
    offset = ahead.view("PointsLedger", "utcOffsetSeconds")
    day = expiry_day_for(max(ahead.now, wall_clock()), offset, 12)
    member = holder(ahead, own_key("another saver's wallet"), day)
    ahead.pass_time((day + 1) * SECONDS_PER_DAY - offset - ahead.now)
    asked = Expire(member, day, HELD), {"kind": "expire"}
    assert answer_of_its_signer(ahead, next_number(), *asked) == "lot_not_expired"
    assert answer_of_its_signer(ahead, next_number(), *asked, clock=None) == DONE, "to a sandbox's signer the day is over"
    assert ahead.view("PointsLedger", "balanceOf", member, lot_id(BRAND, day)) == 0


def test_sealer_and_operator(ahead: Ground) -> None:
    act, honest = ahead.own_brand.again("with the clock"), ahead.now + 60
    ahead.send("operator", "Governance", "schedule", *act.arguments, ahead.known.delay_seconds)
    ahead.pass_time(ahead.known.delay_seconds)
    approvers = ahead.keys["approver"], ahead.second_approver
    for approvals, expected in (
        ([], "TooFewApprovals"),
        (ahead.approvals(act.id, ahead.keys["sealer"], ahead.keys["operator"]), "NotAnApprover"),
        (ahead.approvals(act.id, *approvers, approved_at=honest), "ApprovalTooEarly"),
    ):
        assert ahead.answer(ahead.keys["operator"], "Governance", "executeApproved", *act.arguments, approvals) == expected


def test_sealer_and_enough_approvers(ahead: Ground) -> None:
    act = ahead.higher_limit.again("with the clock")
    ahead.send("operator", "Governance", "schedule", *act.arguments, ahead.known.delay_seconds)
    approvals = ahead.approvals(
        act.id, ahead.keys["approver"], ahead.second_approver, approved_at=ahead.now + ahead.known.delay_seconds + 1
    )
    early = ahead.answer(ahead.keys["operator"], "Governance", "executeApproved", *act.arguments, approvals)
    assert early == "TimelockUnexpectedOperationState"
    ahead.pass_time(ahead.known.delay_seconds)
    assert ahead.answer(ahead.keys["operator"], "Governance", "executeApproved", *act.arguments, approvals) == DONE


def test_a_batch_key_alone_takes_issued_points_back(ahead: Ground) -> None:
    """No consent, no payment that was refunded: the ledger sees neither. What a batch key never does is spend."""
    wallet = own_key("a customer's wallet")
    member, number = holder(ahead, wallet), next_number()
    sold = issue(member)
    assert submit(ahead, number, sold) == [DONE]
    shown = ShownIssue(number, 0, 1, (), (), encode_entry(sold))
    assert submit(ahead, next_number(), Clawback(member, NO_REFERENCE, shown, (Line(BRAND, 0, HELD),))) == [DONE]
    assert submit(ahead, next_number(), redeemed(ahead, member, ahead.keys["batch key"])) == ["NotAnAuthorizer"]
