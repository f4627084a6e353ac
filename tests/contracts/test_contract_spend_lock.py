"""The spend lock on the real ledger: from its block on nothing new is spent, at no brand; what was authorized before goes through."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.ledger.entries import Authorize, ConsentProof, Issue, Redeem
from gateway.ledger.lots import Line
from gateway.ledger.refusals import RefusalReason
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import key_of
from tests.builders.member_acts import LoneMembers, Signer, acts_on, authorizer_of, id_of
from tests.builders.passkeys import SoftwareAuthenticator
from tests.builders.points_ledger import PointsLedger

GROCER, FUEL = 1, 2
ANN, PHONE = key_of("ann"), SoftwareAuthenticator("ann's phone")


def spent(ledger: PointsLedger, member: bytes, kind: type[Authorize] | type[Redeem], nonce: int, points: int = 5) -> Authorize | Redeem:
    return ledger.consented(kind, FUEL, member, [Line(FUEL, 0, points)], key=ANN, nonce=nonce)


def test_a_locked_member_authorizes_and_redeems_nothing_while_what_was_authorized_is_captured(ledger: PointsLedger, ann: bytes) -> None:
    acts = acts_on(ledger)
    before = spent(ledger, ann, Authorize, 0)
    assert ledger.submit(FUEL, [before]) == []
    assert acts.relay(acts.spend_lock(ann), ANN) is None
    assert acts.event_names == ["MemberLocked"]
    locked = RefusalReason.MEMBER_LOCKED
    entries = [spent(ledger, ann, Authorize, 1), spent(ledger, ann, Redeem, 2)]
    assert ledger.submit(FUEL, entries) == [(0, locked), (1, locked)]
    capture = ledger.capture(ledger.reservation_id(FUEL, before), before.lines)
    assert ledger.submit(FUEL, [capture, Issue(ann, 0, 7, BASIS, bytes(32))]) == []


def test_an_unlocked_member_spends_again(ledger: PointsLedger, ann: bytes) -> None:
    acts = acts_on(ledger)
    assert acts.relay(acts.spend_lock(ann), ANN) is None
    unlock = acts.unlock(ann)
    assert acts.relay(unlock, ANN) is None
    acts.after(acts.rules.delay)
    assert acts.execute(unlock) is None
    assert acts.event_names == ["ActExecuted", "MemberUnlocked"]
    assert not ledger.view("isLocked", ann)
    assert ledger.submit(FUEL, [spent(ledger, ann, Redeem, 1)]) == []


def test_whatever_proof_a_locked_members_entry_has_the_lock_is_its_refusal(ledger: PointsLedger, ann: bytes) -> None:
    acts = acts_on(ledger)
    assert acts.relay(acts.spend_lock(ann), ANN) is None
    entry = spent(ledger, ann, Redeem, 1)
    proofs = [ConsentProof(1, bytes(65)), ConsentProof(2, entry.proof.proof), ConsentProof(9, b"")]
    refused = [(index, RefusalReason.MEMBER_LOCKED) for index in range(3)]
    assert ledger.submit(FUEL, [replace(entry, proof=proof) for proof in proofs]) == refused


@pytest.mark.parametrize("signer", [ANN, PHONE], ids=["key", "passkey"])
def test_any_authorizer_locks_but_a_claim_key(signer: Signer) -> None:
    members = LoneMembers()
    member = members.enroll(signer)
    assert members.relay(members.spend_lock(member), signer) is None
    assert members.view("isLocked", member)
    guest = members.enroll(ANN, kind=2)
    assert members.relay(members.spend_lock(guest), ANN, kind=2) == "ClaimKeyOnlyChanges"


def test_nobody_else_locks_a_member() -> None:
    members = LoneMembers()
    member = members.enroll(ANN)
    members.relay(members.guardian(member, authorizer_of(key_of("guardian"))), ANN)
    for stranger in (key_of("stranger"), key_of("guardian"), members.chain.operator, PHONE):
        assert members.relay(members.spend_lock(member), stranger) == "AuthorizerAbsent"
    assert members.relay_proof(members.spend_lock(member), 1, b"") == "MemberProofInvalid"


def test_a_lock_is_good_once_and_in_time() -> None:
    members = LoneMembers()
    member = members.enroll(ANN)
    signed = members.spend_lock(member)
    assert members.relay(replace(signed, deadline=1), ANN) == "MemberActExpired"
    assert members.relay(signed, ANN) is None
    assert members.relay(signed, ANN) == "MemberActOutOfTurn"


def test_no_other_act_gets_in_the_way_of_a_lock() -> None:
    """Whoever has the stolen phone acts on and on; the owner's lock, signed before, still counts."""
    members = LoneMembers()
    member = members.enroll(ANN)
    signed = members.spend_lock(member)
    assert members.relay(members.change(member, add=authorizer_of(PHONE)), ANN) is None
    assert [members.relay(members.grant(member), PHONE) for _ in range(3)] == [None] * 3
    assert members.relay(signed, ANN) is None


def test_a_locked_member_adds_no_authorizer_and_still_drops_the_one_that_signs() -> None:
    members = LoneMembers()
    member = members.enroll(ANN)
    assert members.relay(members.change(member, add=authorizer_of(PHONE)), ANN) is None
    assert members.relay(members.spend_lock(member), ANN) is None
    thief = authorizer_of(key_of("thief"))
    assert members.relay(members.change(member, add=thief), ANN) == "SpendLocked"
    assert members.relay(members.change(member, add=thief, remove=id_of(ANN)), ANN) == "SpendLocked"
    assert members.relay(members.change(member, remove=id_of(ANN)), ANN) is None


def test_a_claim_key_of_a_guest_is_not_stopped_by_anybodys_lock() -> None:
    members = LoneMembers()
    guest = members.enroll(ANN, kind=2)
    assert members.relay(members.change(guest, add=authorizer_of(PHONE)), ANN, kind=2) is None
    assert members.relay(members.change(guest, add=authorizer_of(ANN)), PHONE) is None
