"""Acts that wait: unlocking, removing another authorizer, replacing the guardian, a recovery. Any authorizer or the guardian stops them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from eth_keys import keys

from gateway.ledger.member_acts import DelayedAct, SetGuardian, Unlock, Veto
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.ids import Address, Hash, MemberId
from tests.builders.abi import contract_abi
from tests.builders.ledger_chain import LedgerChain, address_of, key_of
from tests.builders.member_acts import LEDGER, NO_AUTHORIZER, LoneMembers, Signer, authorizer_of, id_of
from tests.builders.passkeys import SoftwareAuthenticator
from tests.builders.points_ledger import MEMBER_DELAY

ANN, PHONE, TABLET = key_of("ann"), SoftwareAuthenticator("ann's phone"), key_of("ann's tablet")
GUARDIAN, OTHER, STRANGER = key_of("ann's guardian"), SoftwareAuthenticator("another guardian"), key_of("stranger")
LIFETIME = 30 * SECONDS_PER_DAY

Ask = Callable[[LoneMembers, bytes], DelayedAct]
ASKS: dict[str, Ask] = {
    "unlock": lambda members, ann: members.unlock(ann),
    "removal": lambda members, ann: members.removal(ann, authorizer_of(TABLET)),
    "guardian": lambda members, ann: members.guardian(ann, authorizer_of(OTHER)),
    "no guardian": lambda members, ann: members.guardian(ann),
    "recovery": lambda members, ann: members.recovery(ann, authorizer_of(key_of("new phone"))),
}


@pytest.fixture
def members() -> LoneMembers:
    return LoneMembers()


@pytest.fixture
def ann(members: LoneMembers) -> MemberId:
    """Locked, with a key, a passkey, a tablet and a guardian."""
    member = members.enroll(ANN)
    for signer in (PHONE, TABLET):
        assert members.relay(members.change(member, add=authorizer_of(signer)), ANN) is None
    assert members.relay(members.guardian(member, authorizer_of(GUARDIAN)), ANN) is None
    assert members.event_names == ["MemberActed", "GuardianSet"]
    assert members.relay(members.spend_lock(member), PHONE) is None
    return member


def requested(members: LoneMembers, member: bytes, ask: str, signer: Signer = ANN) -> DelayedAct:
    act = ASKS[ask](members, member)
    assert members.relay(act, GUARDIAN if ask == "recovery" else signer) is None
    assert members.event_names[-1] == "ActRequested"
    return act


@pytest.mark.parametrize("ask", ASKS)
def test_an_act_waits_its_delay_and_is_then_anybodys_to_carry_out_once(members: LoneMembers, ann: MemberId, ask: str) -> None:
    act = requested(members, ann, ask)
    ready_at = members.events[-1].values["readyAt"]
    assert members.view("pendingAct", members.veto(act).act)[1] == ready_at == members.chain.timestamp + MEMBER_DELAY
    members.chain.set_time(ready_at - 1)
    assert members.execute(act) == "ActNotReady"
    assert members.execute(act) is None
    assert members.event_names[0] == "ActExecuted"
    assert members.execute(act) == "ActNotPending"


@pytest.mark.parametrize("ask", ["unlock", "removal", "guardian", "no guardian"])
def test_a_passkey_requests_as_a_key_does(members: LoneMembers, ann: MemberId, ask: str) -> None:
    act = requested(members, ann, ask, PHONE)
    members.after(MEMBER_DELAY)
    assert members.execute(act) is None


@pytest.mark.parametrize("by", [ANN, PHONE, TABLET, GUARDIAN], ids=["signer", "passkey", "the one to be removed", "guardian"])
@pytest.mark.parametrize("ask", ASKS)
def test_any_authorizer_and_the_guardian_veto(members: LoneMembers, ann: MemberId, ask: str, by: Signer) -> None:
    act = requested(members, ann, ask)
    assert members.relay(members.veto(act), by) is None
    assert members.event_names == ["ActVetoed"]
    members.after(MEMBER_DELAY)
    assert members.execute(act) == "ActNotPending"
    assert members.relay(members.veto(act), by) == "ActNotPending"


def test_a_guardians_passkey_vetoes_too(members: LoneMembers, ann: MemberId) -> None:
    replaced = requested(members, ann, "guardian")
    members.after(MEMBER_DELAY)
    assert members.execute(replaced) is None
    unlock = requested(members, ann, "unlock")
    assert members.relay(members.veto(unlock), GUARDIAN) == "AuthorizerAbsent"
    wrong = members.veto(replaced)
    kind, proof = 3, OTHER.consent(wrong.act)
    assert members.relay_proof(members.veto(unlock), kind, proof) == "MemberProofInvalid"
    assert members.relay(members.veto(unlock), OTHER) is None


@pytest.mark.parametrize("by", [STRANGER, OTHER, LEDGER], ids=["stranger", "a passkey", "ledger"])
def test_nobody_else_vetoes(members: LoneMembers, ann: MemberId, by: Signer) -> None:
    act = requested(members, ann, "unlock")
    assert members.relay(members.veto(act), by) == "AuthorizerAbsent"
    assert members.relay(members.veto(act), members.chain.operator) == "AuthorizerAbsent"
    assert members.relay(members.veto(act), ANN, kind=2) == "ClaimKeyOnlyChanges"
    assert members.relay_proof(members.veto(act), 1, bytes(65)) == "MemberProofInvalid"


def test_a_veto_is_good_for_its_act_alone(members: LoneMembers, ann: MemberId) -> None:
    first, second = requested(members, ann, "unlock"), requested(members, ann, "removal")
    proof = 3, PHONE.consent(bytes(32))
    assert members.relay_proof(members.veto(first), *proof) == "MemberProofInvalid"
    assert members.relay(Veto(ann, Hash(bytes(32))), ANN) == "ActNotPending"
    assert members.relay(members.veto(first), ANN) is None
    members.after(MEMBER_DELAY)
    assert members.execute(second) is None


@pytest.mark.parametrize("ask", ASKS)
def test_nobody_else_requests(members: LoneMembers, ann: MemberId, ask: str) -> None:
    act = ASKS[ask](members, ann)
    expected = "NotGuardian" if ask == "recovery" else "AuthorizerAbsent"
    others = [STRANGER, OTHER, members.chain.operator, ANN if ask == "recovery" else GUARDIAN]
    assert [members.relay(act, other) for other in others] == [expected] * 4
    assert members.relay(act, ANN, kind=2) == "ClaimKeyOnlyChanges"
    assert members.relay_proof(act, 1, bytes(64)) == "MemberProofInvalid"
    assert members.relay(replace(act, deadline=1), GUARDIAN if ask == "recovery" else ANN) == "MemberActExpired"


@pytest.mark.parametrize("ask", ["unlock", "removal", "guardian", "no guardian"])
def test_a_request_counts_in_its_turn_and_once(members: LoneMembers, ann: MemberId, ask: str) -> None:
    act = requested(members, ann, ask)
    assert members.relay(act, ANN) == "MemberActOutOfTurn"
    assert members.relay(members.veto(act), ANN) is None
    assert members.relay(act, ANN) == "MemberActOutOfTurn"


def test_a_vetoed_recovery_never_comes_back_and_another_one_may(members: LoneMembers, ann: MemberId) -> None:
    act = requested(members, ann, "recovery")
    assert members.relay(act, GUARDIAN) == "ActUsed"
    assert members.relay(members.veto(act), PHONE) is None
    assert members.relay(act, GUARDIAN) == "ActUsed"
    assert members.relay(replace(act, nonce=1), GUARDIAN) is None


def test_what_is_not_carried_out_lapses(members: LoneMembers, ann: MemberId) -> None:
    lapsed, in_time = requested(members, ann, "unlock"), requested(members, ann, "removal")
    ready_at = members.events[-1].values["readyAt"]
    members.chain.set_time(ready_at + LIFETIME)
    assert members.execute(in_time) is None
    assert members.execute(lapsed) == "MemberActLapsed"


def test_what_was_not_requested_is_not_carried_out(members: LoneMembers, ann: MemberId) -> None:
    act = requested(members, ann, "unlock")
    members.after(MEMBER_DELAY)
    assert members.execute(replace(act, deadline=act.deadline - 1)) == "ActNotPending"
    assert members.execute(members.removal(ann, authorizer_of(TABLET))) == "ActNotPending"


@pytest.mark.parametrize("ask", ASKS)
def test_a_further_lock_makes_fall_what_is_pending(members: LoneMembers, ann: MemberId, ask: str) -> None:
    """An unlock that was ready long ago does not open the next lock."""
    act = requested(members, ann, ask)
    assert members.relay(members.spend_lock(ann), TABLET) is None
    members.after(MEMBER_DELAY)
    assert members.execute(act) == "ActFallen"


@pytest.mark.parametrize("ask", ASKS)
def test_another_guardian_makes_fall_what_is_pending(members: LoneMembers, ann: MemberId, ask: str) -> None:
    replaced = members.guardian(ann, authorizer_of(key_of("third guardian")))
    assert members.relay(replaced, ANN) is None
    act = requested(members, ann, ask)
    members.after(MEMBER_DELAY)
    assert members.execute(replaced) is None
    assert members.execute(act) == "ActFallen"


def test_only_a_locked_member_is_unlocked(members: LoneMembers, ann: MemberId) -> None:
    first, second = requested(members, ann, "unlock"), requested(members, ann, "unlock")
    members.after(MEMBER_DELAY)
    assert members.execute(first) is None
    assert members.execute(second) == "NotLocked"
    assert members.relay(members.unlock(ann), ANN) == "NotLocked"


@pytest.mark.parametrize("authorizer", [authorizer_of(ANN), (1, b""), (0, address_of(ANN))])
def test_an_unlock_names_no_authorizer(members: LoneMembers, ann: MemberId, authorizer: tuple[int, bytes]) -> None:
    call = members.abi.call("requestAct", (0, ann, *authorizer, 0, 2**40 - 1), 1, bytes(65))
    assert members.abi.error(members.chain.send(members.address, call).output)[0] == "UnlockNamesAuthorizer"


def test_only_an_authorizer_is_removed_and_never_the_last(members: LoneMembers, ann: MemberId) -> None:
    assert members.relay(members.removal(ann, authorizer_of(STRANGER)), ANN) == "AuthorizerAbsent"
    assert members.relay(members.removal(ann, NO_AUTHORIZER), ANN) == "AuthorizerAbsent"
    acts = [members.removal(ann, authorizer_of(TABLET))]
    assert members.relay(acts[0], ANN) is None
    for signer in (PHONE, ANN):
        acts.append(members.removal(ann, authorizer_of(signer)))
        assert members.relay(acts[-1], ANN) is None
    members.after(MEMBER_DELAY)
    assert [members.execute(act) for act in acts] == [None, None, "LastAuthorizer"]
    assert members.relay(members.removal(ann, authorizer_of(ANN)), ANN) == "LastAuthorizer"


def test_one_that_went_by_itself_is_not_removed_again(members: LoneMembers, ann: MemberId) -> None:
    act = requested(members, ann, "removal")
    assert members.relay(members.change(ann, remove=id_of(TABLET)), TABLET) is None
    members.after(MEMBER_DELAY)
    assert members.execute(act) == "AuthorizerAbsent"


def test_another_authorizer_is_not_removed_at_once(members: LoneMembers, ann: MemberId) -> None:
    assert members.relay(members.change(ann, remove=id_of(TABLET)), ANN) == "RemovalWaits"


# Guardians


def test_a_first_guardian_is_set_at_once_unless_the_member_is_locked(members: LoneMembers) -> None:
    member = members.enroll(ANN)
    assert members.relay(members.spend_lock(member), ANN) is None
    first = members.guardian(member, authorizer_of(GUARDIAN))
    assert members.relay(first, ANN) is None
    assert members.event_names == ["MemberActed", "ActRequested"]
    assert not any(members.view("guardianOf", member))
    members.after(MEMBER_DELAY)
    assert members.execute(first) is None
    assert members.view("guardianOf", member) == id_of(GUARDIAN)


def test_a_guardian_is_somebody_else_and_never_the_operator(members: LoneMembers, ann: MemberId) -> None:
    operator = authorizer_of(members.chain.operator)
    assert members.relay(members.guardian(ann, operator), ANN) == "GuardianIsOperator"
    assert members.relay(members.guardian(ann, authorizer_of(GUARDIAN)), ANN) == "GuardianUnchanged"
    assert members.relay(members.guardian(ann, (2, address_of(STRANGER))), ANN) == "AuthorizerKindUnknown"
    assert members.relay(members.guardian(ann, (4, b"")), ANN) == "AuthorizerKindUnknown"
    assert members.relay(members.guardian(ann, (1, bytes(20))), ANN) == "AuthorizerNotAnAddress"
    fresh = members.enroll(PHONE)
    assert members.relay(members.guardian(fresh, operator), PHONE) == "GuardianIsOperator"
    assert members.relay(members.guardian(fresh), PHONE) == "GuardianUnchanged"


def test_a_guardian_that_became_the_operator_is_none(members: LoneMembers, ann: MemberId) -> None:
    recovery, removal = requested(members, ann, "recovery"), requested(members, ann, "removal")
    becomes_operator(members, GUARDIAN)
    assert members.relay(replace(recovery, nonce=9), GUARDIAN) == "NotGuardian"
    assert members.relay(members.veto(removal), GUARDIAN) == "AuthorizerAbsent"
    assert members.execute(recovery) == "GuardianIsOperator"


def test_who_became_the_operator_since_becomes_no_guardian(members: LoneMembers, ann: MemberId) -> None:
    act = members.guardian(ann, authorizer_of(STRANGER))
    assert members.relay(act, ANN) is None
    becomes_operator(members, STRANGER)
    assert members.execute(act) == "GuardianIsOperator"


def becomes_operator(members: LoneMembers, key: keys.PrivateKey) -> None:
    """Ready after governance's delay, by when the member's acts are ready too."""
    members.governance.done(members.governance.on_itself("replaceOperator", address_of(key)))
    members.rules = replace(members.rules, operator=Address(address_of(key)))


# Deployment


@pytest.mark.parametrize(("delay", "sandbox", "is_possible"), [(0, True, True), (SECONDS_PER_DAY, False, True), (LIFETIME, False, True)])
def test_the_delay_is_at_least_a_day_but_in_a_sandbox(delay: int, sandbox: bool, is_possible: bool) -> None:
    members = LoneMembers(delay=delay, sandbox=sandbox)
    assert members.view("memberDelay") == delay
    member = members.enroll(ANN)
    assert members.relay(members.spend_lock(member), ANN) is None
    unlock: Unlock | SetGuardian = members.unlock(member)
    assert members.relay(unlock, ANN) is None
    assert members.execute(unlock) == (None if delay == 0 else "ActNotReady")


@pytest.mark.parametrize(("delay", "sandbox"), [(0, False), (SECONDS_PER_DAY - 1, False), (LIFETIME + 1, False), (LIFETIME + 1, True)])
def test_another_delay_is_none(delay: int, sandbox: bool) -> None:
    abi, lone = contract_abi("Members"), LoneMembers(delay=SECONDS_PER_DAY, sandbox=sandbox)
    chain: LedgerChain = lone.chain
    creation = abi.creation(lone.governance.address, lone.view("passkeyVerifier"), address_of(LEDGER), delay)
    assert abi.error(chain.send(b"", creation).output)[0] == "MemberDelayOutOfRange"
