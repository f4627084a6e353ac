"""Grants on the real register: limits per purchase, per local day and in all; withdrawn at once; of the giver's points alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.ledger.member_acts import grant_to_brand, grant_to_member
from gateway.ledger.refusals import RefusalReason
from tests.builders.ledger_chain import key_of
from tests.builders.member_acts import LoneMembers, Signer
from tests.builders.passkeys import SoftwareAuthenticator

ANN, BOB, CYD = key_of("ann"), key_of("bob"), key_of("cyd")
GROCER, FUEL = grant_to_brand(1), grant_to_brand(2)
DAY = 20_600
MISSING, EXCEEDED, LOCKED = RefusalReason.GRANT_MISSING, RefusalReason.GRANT_EXCEEDED, RefusalReason.MEMBER_LOCKED


@pytest.fixture
def members() -> LoneMembers:
    return LoneMembers()


@pytest.fixture(params=[ANN, SoftwareAuthenticator("ann")], ids=["key", "passkey"])
def ann(request: pytest.FixtureRequest) -> Signer:
    signer: Signer = request.param
    return signer


def test_a_grant_of_either_kind_of_authorizer_lets_a_brand_spend_within_its_limits(members: LoneMembers, ann: Signer) -> None:
    giver = members.enroll(ann)
    assert members.relay(members.grant(giver), ann) is None
    _, event = members.events
    assert (event.name, event.values["perPurchase"], event.values["perDay"], event.values["inAll"]) == ("GrantSet", 100, 150, 300)
    assert members.spend(giver, GROCER, 100, DAY) is None
    assert members.spend(giver, GROCER, 50, DAY) is None
    assert members.view("grantOf", giver, GROCER) == ((100, 150, 300, 2**40 - 1), (150, 150, DAY))


@pytest.mark.parametrize(
    ("spends", "reason"),
    [
        ([(101, DAY)], EXCEEDED),
        ([(100, DAY), (51, DAY)], EXCEEDED),
        ([(100, DAY), (50, DAY), (1, DAY)], EXCEEDED),
        ([(100, DAY), (51, DAY + 1)], None),
        ([(100, DAY), (50, DAY), (100, DAY + 1), (50, DAY + 1)], None),
        ([(100, DAY), (50, DAY), (100, DAY + 1), (50, DAY + 1), (1, DAY + 2)], EXCEEDED),
    ],
)
def test_limits_hold_per_purchase_per_day_and_in_all(
    members: LoneMembers, spends: list[tuple[int, int]], reason: RefusalReason | None
) -> None:
    giver = members.enroll(ANN)
    assert members.relay(members.grant(giver), ANN) is None
    *before, last = spends
    assert [members.spend(giver, GROCER, *each) for each in before] == [None] * len(before)
    assert members.spend(giver, GROCER, *last) == reason


def test_what_is_refused_is_not_counted(members: LoneMembers) -> None:
    giver = members.enroll(ANN)
    assert members.relay(members.grant(giver), ANN) is None
    assert members.spend(giver, GROCER, 101, DAY) == EXCEEDED
    assert members.view("grantOf", giver, GROCER)[1] == (0, 0, 0)


def test_a_grant_ends_after_its_last_second(members: LoneMembers) -> None:
    giver = members.enroll(ANN)
    until = members.chain.next_timestamp + 100
    assert members.relay(members.grant(giver, until=until), ANN) is None
    members.chain.set_time(until)
    assert members.spend(giver, GROCER, 1, DAY) is None
    assert members.spend(giver, GROCER, 1, DAY) == MISSING


def test_a_grant_is_withdrawn_at_once_and_a_new_one_counts_afresh(members: LoneMembers) -> None:
    giver = members.enroll(ANN)
    assert members.relay(members.grant(giver), ANN) is None
    assert members.spend(giver, GROCER, 100, DAY) is None
    assert members.relay(members.grant(giver, limits=(0, 150, 300)), ANN) is None
    assert members.spend(giver, GROCER, 0, DAY) == MISSING
    assert members.relay(members.grant(giver, limits=(20, 20, 20)), ANN) is None
    assert members.spend(giver, GROCER, 20, DAY) is None
    assert members.spend(giver, GROCER, 1, DAY) == EXCEEDED


def test_a_grant_is_for_whom_it_names(members: LoneMembers) -> None:
    giver, bob = members.enroll(ANN), members.enroll(BOB)
    assert members.relay(members.grant(giver), ANN) is None
    assert members.spend(giver, FUEL, 1, DAY) == MISSING
    assert members.spend(bob, GROCER, 1, DAY) == MISSING
    assert members.spend(giver, grant_to_member(bob), 1, DAY) == MISSING


def test_a_grant_is_never_passed_on(members: LoneMembers) -> None:
    """Ann lets Bob, Bob lets Cyd: Cyd spends Bob's points, and none of Ann's."""
    ann, bob, cyd = members.enroll(ANN), members.enroll(BOB), members.enroll(CYD)
    assert members.relay(members.grant(ann, grant_to_member(bob)), ANN) is None
    assert members.relay(members.grant(bob, grant_to_member(cyd)), BOB) is None
    assert members.spend(bob, grant_to_member(cyd), 1, DAY) is None
    assert members.spend(ann, grant_to_member(cyd), 1, DAY) == MISSING


def test_grants_both_ways_merge_two_members_and_each_ends_its_own(members: LoneMembers) -> None:
    ann, bob = members.enroll(ANN), members.enroll(BOB)
    both = (members.grant(ann, grant_to_member(bob)), ANN), (members.grant(bob, grant_to_member(ann)), BOB)
    assert [members.relay(*each) for each in both] == [None, None]
    assert members.spend(ann, grant_to_member(bob), 40, DAY) is None
    assert members.spend(bob, grant_to_member(ann), 60, DAY) is None
    assert members.relay(members.grant(ann, grant_to_member(bob), (0, 0, 0)), ANN) is None
    assert members.spend(ann, grant_to_member(bob), 1, DAY) == MISSING
    assert members.spend(bob, grant_to_member(ann), 1, DAY) is None


@pytest.mark.parametrize("to", [bytes(32), b"\x01" + bytes(31), bytes(11) + b"\x01" + bytes(20)])
def test_a_grant_is_to_a_brand_or_a_member(members: LoneMembers, to: bytes) -> None:
    giver = members.enroll(ANN)
    assert members.relay(members.grant(giver, to), ANN) == "GrantToNobody"


def test_a_grant_is_the_members_own_in_its_turn_and_time(members: LoneMembers) -> None:
    giver = members.enroll(ANN)
    grant = members.grant(giver)
    assert members.relay(grant, BOB) == "AuthorizerAbsent"
    assert members.relay(replace(grant, deadline=1), ANN) == "MemberActExpired"
    assert members.relay(replace(grant, nonce=1), ANN) == "MemberActOutOfTurn"
    assert members.relay_proof(grant, 1, bytes(64)) == "MemberProofInvalid"
    assert members.relay(grant, ANN) is None
    assert members.relay(grant, ANN) == "MemberActOutOfTurn"


def test_a_claim_key_grants_nothing(members: LoneMembers) -> None:
    giver = members.enroll(ANN, kind=2)
    assert members.relay(members.grant(giver), ANN, kind=2) == "ClaimKeyOnlyChanges"
    assert members.relay(members.grant(giver), ANN) == "AuthorizerAbsent"


def test_only_the_points_ledger_spends_under_a_grant(members: LoneMembers) -> None:
    giver = members.enroll(ANN)
    assert members.relay(members.grant(giver), ANN) is None
    assert members.spend(giver, GROCER, 1, DAY, sender=members.chain.operator) == "NotPointsLedger"
    assert members.view("grantOf", giver, GROCER)[1] == (0, 0, 0)


def test_a_locked_giver_is_not_spent_from_grants_nothing_and_still_withdraws(members: LoneMembers) -> None:
    giver = members.enroll(ANN)
    assert members.relay(members.grant(giver), ANN) is None
    assert members.relay(members.spend_lock(giver), ANN) is None
    assert members.spend(giver, GROCER, 1, DAY) == LOCKED
    assert members.relay(members.grant(giver, FUEL), ANN) == "SpendLocked"
    assert members.relay(members.grant(giver, limits=(0, 0, 0)), ANN) is None
