"""A member that lost its authorizers is brought back by its guardian; and what a thief with a stolen phone gets: nothing that lasts."""

from __future__ import annotations

import pytest

from gateway.ledger.entries import Issue, Redeem
from gateway.ledger.lots import Line
from gateway.ledger.member_acts import DelayedAct, grant_to_brand, grant_to_member
from gateway.ledger.refusals import RefusalReason
from gateway.values.ids import MemberId
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import address_of, key_of
from tests.builders.member_acts import LoneMembers, Signer, acts_on, authorizer_of, id_of
from tests.builders.passkeys import SoftwareAuthenticator
from tests.builders.points_ledger import MEMBER_DELAY, PointsLedger

ANN, STOLEN, NEW = key_of("ann"), SoftwareAuthenticator("ann's stolen phone"), SoftwareAuthenticator("ann's new phone")
THIEF, BOB = key_of("thief"), key_of("bob")
FUEL = 2
DAY = 20_600


@pytest.fixture
def members() -> LoneMembers:
    return LoneMembers()


@pytest.fixture(params=[key_of("ann's sister"), SoftwareAuthenticator("ann's sister")], ids=["key", "passkey"])
def guardian(request: pytest.FixtureRequest) -> Signer:
    signer: Signer = request.param
    return signer


def member_with(members: LoneMembers, guardian: Signer, *further: Signer) -> MemberId:
    member = members.enroll(ANN)
    for signer in further:
        assert members.relay(members.change(member, add=authorizer_of(signer)), ANN) is None
    assert members.relay(members.guardian(member, authorizer_of(guardian)), ANN) is None
    return member


def recovered(members: LoneMembers, member: bytes, guardian: Signer, to: Signer = NEW) -> None:
    act = members.recovery(member, authorizer_of(to))
    assert members.relay(act, guardian) is None
    members.after(MEMBER_DELAY)
    assert members.execute(act) is None


def test_a_recovery_replaces_all_authorizers_and_ends_the_grants_that_the_member_gave(members: LoneMembers, guardian: Signer) -> None:
    member, bob = member_with(members, guardian, STOLEN), members.enroll(BOB)
    assert members.relay(members.grant(member), ANN) is None
    assert members.relay(members.grant(bob, grant_to_member(member)), BOB) is None
    recovered(members, member, guardian)
    assert members.event_names == ["ActExecuted", "MemberRecovered", "AuthorizerAdded"]
    assert [members.view("isAuthorizer", member, id_of(signer)) for signer in (ANN, STOLEN, NEW)] == [False, False, True]
    assert members.spend(member, grant_to_brand(1), 1, DAY) == RefusalReason.GRANT_MISSING
    assert members.spend(bob, grant_to_member(member), 1, DAY) is None
    assert members.relay(members.spend_lock(member), ANN) == "AuthorizerAbsent"
    assert members.relay(members.grant(member), NEW) is None
    assert members.view("guardianOf", member) == id_of(guardian)


def test_enrolling_again_does_not_undo_a_recovery(members: LoneMembers, guardian: Signer) -> None:
    member = member_with(members, guardian)
    recovered(members, member, guardian)
    members.enroll(ANN)
    assert members.event_names == []
    assert not members.view("isAuthorizer", member, id_of(ANN))


def test_a_recovered_members_one_authorizer_is_its_last(members: LoneMembers, guardian: Signer) -> None:
    member = member_with(members, guardian, STOLEN)
    recovered(members, member, guardian)
    assert members.relay(members.change(member, remove=id_of(NEW)), NEW) == "LastAuthorizer"
    assert members.relay(members.change(member, add=authorizer_of(ANN)), NEW) is None
    assert members.relay(members.change(member, remove=id_of(NEW)), NEW) is None


def test_a_recovery_makes_fall_what_was_pending_and_no_recovery_counts_twice(members: LoneMembers, guardian: Signer) -> None:
    member = member_with(members, guardian, STOLEN)
    removal = members.removal(member, authorizer_of(STOLEN))
    assert members.relay(removal, ANN) is None
    act = members.recovery(member, authorizer_of(NEW))
    another = members.recovery(member, authorizer_of(THIEF), nonce=1)
    assert [members.relay(each, guardian) for each in (act, another)] == [None, None]
    members.after(MEMBER_DELAY)
    assert members.execute(act) is None
    assert [members.execute(each) for each in (removal, another)] == ["ActFallen", "ActFallen"]
    assert members.execute(act) == "ActNotPending"
    assert members.relay(act, guardian) == "ActUsed"


def test_a_recovery_leaves_a_spend_lock_to_the_new_authorizer(members: LoneMembers, guardian: Signer) -> None:
    member = member_with(members, guardian)
    assert members.relay(members.spend_lock(member), ANN) is None
    recovered(members, member, guardian)
    assert members.view("isLocked", member)
    unlock = members.unlock(member)
    assert members.relay(unlock, NEW) is None
    members.after(MEMBER_DELAY)
    assert members.execute(unlock) is None


@pytest.mark.parametrize(
    ("authorizer", "reason"),
    [
        ((2, address_of(ANN)), "AuthorizerKindUnknown"),
        ((0, b""), "AuthorizerKindUnknown"),
        ((1, bytes(20)), "AuthorizerNotAnAddress"),
        ((1, bytes(21)), "AuthorizerNotAnAddress"),
    ],
)
def test_a_recovery_names_a_key_or_a_passkey(members: LoneMembers, guardian: Signer, authorizer: tuple[int, bytes], reason: str) -> None:
    member = member_with(members, guardian)
    assert members.relay(members.recovery(member, authorizer), guardian) == reason


def test_a_guardians_passkey_approved_of_this_recovery(members: LoneMembers) -> None:
    guardian = SoftwareAuthenticator("ann's sister")
    member = member_with(members, guardian)
    recovery = members.recovery(member, authorizer_of(NEW))
    assert members.relay_proof(recovery, 3, guardian.consent(bytes(32))) == "MemberProofInvalid"
    assert members.relay(recovery, guardian) is None


def test_without_a_guardian_nobody_recovers(members: LoneMembers, guardian: Signer) -> None:
    member = members.enroll(ANN)
    for signer in (guardian, ANN, members.chain.operator):
        assert members.relay(members.recovery(member, authorizer_of(NEW)), signer) == "NotGuardian"


# The stolen phone


def test_a_thief_with_the_phone_gets_nothing_that_lasts(ledger: PointsLedger) -> None:
    """He adds a key of his own; the owner locks; then whatever he asks for is vetoed, and nobody spends until the owner can again."""
    acts = acts_on(ledger)
    sister = key_of("ann's sister")
    ann = acts.enroll(ANN)
    assert ledger.submit(FUEL, [Issue(ann, 0, 500, BASIS, bytes(32))]) == []
    assert acts.relay(acts.change(ann, add=authorizer_of(STOLEN)), ANN) is None
    assert acts.relay(acts.guardian(ann, authorizer_of(sister)), ANN) is None

    assert acts.relay(acts.change(ann, add=authorizer_of(THIEF)), STOLEN) is None
    assert acts.relay(acts.spend_lock(ann), ANN) is None
    spends = ledger.consented(Redeem, FUEL, ann, [Line(FUEL, 0, 500)], key=THIEF)
    assert ledger.submit(FUEL, [spends]) == [(0, RefusalReason.MEMBER_LOCKED)]
    assert acts.relay(acts.grant(ann), THIEF) == "SpendLocked"
    assert acts.relay(acts.change(ann, add=authorizer_of(key_of("another thief"))), THIEF) == "SpendLocked"
    assert acts.relay(acts.change(ann, remove=id_of(ANN)), THIEF) == "RemovalWaits"

    wishes: list[DelayedAct] = []
    for who_objects in (sister, ANN, ANN):
        possible: list[DelayedAct] = [acts.unlock(ann), acts.removal(ann, authorizer_of(ANN)), acts.guardian(ann, authorizer_of(THIEF))]
        wishes.append(possible[len(wishes)])
        assert acts.relay(wishes[-1], THIEF) is None
        assert acts.relay(acts.veto(wishes[-1]), who_objects) is None
    acts.after(MEMBER_DELAY)
    assert [acts.execute(wish) for wish in wishes] == ["ActNotPending"] * 3
    spends = ledger.consented(Redeem, FUEL, ann, [Line(FUEL, 0, 500)], key=THIEF)
    assert ledger.submit(FUEL, [spends]) == [(0, RefusalReason.MEMBER_LOCKED)]
    assert ledger.held(ann, FUEL) == (500, 0)


def test_one_lock_ends_all_that_a_thief_has_pending(members: LoneMembers, guardian: Signer) -> None:
    member = member_with(members, guardian, STOLEN)
    wishes: list[DelayedAct] = []
    for authorizer in (authorizer_of(ANN), authorizer_of(THIEF)):
        ask = members.guardian if wishes else members.removal
        wishes.append(ask(member, authorizer))
        assert members.relay(wishes[-1], STOLEN) is None
    assert members.relay(members.spend_lock(member), ANN) is None
    members.after(MEMBER_DELAY)
    assert [members.execute(wish) for wish in wishes] == ["ActFallen", "ActFallen"]


def test_a_thief_that_the_owner_does_not_see_has_the_phones_power_after_the_delay_alone(members: LoneMembers, guardian: Signer) -> None:
    """What the delay is for: nobody objected."""
    member = member_with(members, guardian, STOLEN)
    removal = members.removal(member, authorizer_of(ANN))
    assert members.relay(removal, STOLEN) is None
    members.after(MEMBER_DELAY)
    assert members.execute(removal) is None
    assert not members.view("isAuthorizer", member, id_of(ANN))
    recovered(members, member, guardian)
    assert not members.view("isAuthorizer", member, id_of(STOLEN))


def test_in_a_war_of_vetoes_nobody_spends(members: LoneMembers, guardian: Signer) -> None:
    member = member_with(members, guardian, STOLEN)
    assert members.relay(members.spend_lock(member), ANN) is None
    mine, his = members.removal(member, authorizer_of(STOLEN)), members.recovery(member, authorizer_of(NEW))
    assert members.relay(mine, ANN) is None
    assert members.relay(his, guardian) is None
    assert [members.relay(members.veto(act), STOLEN) for act in (mine, his)] == [None, None]
    unlock = members.unlock(member)
    assert members.relay(unlock, STOLEN) is None
    assert members.relay(members.veto(unlock), guardian) is None
    assert members.view("isLocked", member)
