"""Passkeys on the real points ledger: a consent holds for its very terms, once, and only while the passkey is the member's."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import pytest

from gateway.ledger.entries import Authorize, ConsentProof, Issue, Redeem
from gateway.ledger.lots import Line
from gateway.ledger.member_acts import AuthorizerChange, member_act_digest
from gateway.ledger.members import AuthorizerKind, authorizer_id
from gateway.ledger.passkeys import consent_proof
from gateway.ledger.refusals import RefusalReason
from gateway.values.ids import Hash, MemberId
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import LedgerChain, Outcome, key_of
from tests.builders.passkeys import USER_PRESENT, USER_VERIFIED, SoftwareAuthenticator, with_high_s
from tests.builders.points_ledger import PointsLedger, address_of

GROCER, FUEL = 1, 2
PASSKEY = AuthorizerKind.PASSKEY
ANN = SoftwareAuthenticator("ann")
BOB = SoftwareAuthenticator("bob")


@pytest.fixture(params=[True, False], ids=["precompile", "library"])
def ledger(request: pytest.FixtureRequest) -> PointsLedger:
    return PointsLedger((GROCER, FUEL), chain=LedgerChain(with_p256=request.param))


@pytest.fixture
def ann(ledger: PointsLedger) -> bytes:
    member = ledger.enroll_passkey(ANN.authorizer)
    assert ledger.submit(GROCER, [Issue(member, 0, 1_000, BASIS, bytes(32))]) == []
    return member


def consented(
    ledger: PointsLedger, member: bytes, by: SoftwareAuthenticator = ANN, points: int = 10, nonce: int = 0, **other: Any
) -> Redeem:
    """A redemption at the fuel station; `other` is what the browser says otherwise."""
    blank = Redeem(
        member, bytes(32), bytes(32), nonce, ledger.now + 3_600, points, points, ConsentProof(PASSKEY, b""), (Line(GROCER, 0, points),)
    )
    return replace(blank, proof=ConsentProof(PASSKEY, by.consent(ledger.reservation_id(FUEL, blank), **other)))


def change(ledger: PointsLedger, member: bytes, add: tuple[int, bytes], remove: bytes, nonce: int, by: SoftwareAuthenticator) -> Outcome:
    act = AuthorizerChange(MemberId(member), *add, Hash(remove), nonce, ledger.now + 3_600)
    return ledger.transact("changeAuthorizers", astuple(act), PASSKEY, by.consent(member_act_digest(ledger.members_domain, act)))


def test_a_passkey_spends_once(ledger: PointsLedger, ann: bytes) -> None:
    entry = consented(ledger, ann)
    as_authorize = Authorize(*(getattr(entry, name) for name in Redeem.__slots__))
    assert ledger.submit(FUEL, [entry, entry, as_authorize]) == [(1, RefusalReason.CONSENT_USED), (2, RefusalReason.CONSENT_USED)]
    assert ledger.submit(FUEL, [entry]) == [(0, RefusalReason.CONSENT_USED)]
    assert ledger.held(ann, GROCER) == (990, 0)


def test_a_consent_to_anything_else_is_invalid(ledger: PointsLedger, ann: bytes) -> None:
    entry = consented(ledger, ann)
    others = [
        replace(entry, points=11, lines=(Line(GROCER, 0, 11),)),
        replace(entry, reference=b"\x09" * 32),
        replace(entry, nonce=1),
        replace(entry, deadline=entry.deadline + 1),
    ]
    assert ledger.submit(FUEL, others) == [(index, RefusalReason.CONSENT_INVALID) for index in range(4)]
    assert ledger.submit(GROCER, [entry]) == [(0, RefusalReason.CONSENT_INVALID)]
    assert ledger.held(ann, GROCER) == (1_000, 0)
    assert ledger.submit(FUEL, [entry]) == []


def test_another_members_passkey_is_no_authorizer_and_neither_is_her_consent(ledger: PointsLedger, ann: bytes) -> None:
    bob = ledger.enroll_passkey(BOB.authorizer)
    assert ledger.submit(GROCER, [Issue(bob, 0, 10, BASIS, bytes(32))]) == []
    by_bob, for_ann = consented(ledger, ann, by=BOB), consented(ledger, ann)
    assert ledger.submit(FUEL, [by_bob, replace(for_ann, member=bob)]) == [
        (0, RefusalReason.NOT_AN_AUTHORIZER),
        (1, RefusalReason.NOT_AN_AUTHORIZER),
    ]


def test_the_same_key_for_another_origin_or_party_is_another_authorizer(ledger: PointsLedger, ann: bytes) -> None:
    elsewhere = [replace(ANN, origin="https://evil.example"), replace(ANN, rp_id="evil.example")]
    entries = [consented(ledger, ann, by=by) for by in elsewhere]
    assert ledger.submit(FUEL, entries) == [(0, RefusalReason.NOT_AN_AUTHORIZER), (1, RefusalReason.NOT_AN_AUTHORIZER)]


def test_what_the_verifier_refuses_the_ledger_refuses(ledger: PointsLedger, ann: bytes) -> None:
    blank = replace(consented(ledger, ann), proof=ConsentProof(PASSKEY, b""))
    good = ANN.sign(ledger.reservation_id(FUEL, blank))
    proofs = [with_high_s(good), good[:-1], good + b"}", b"", good[:64] + b"\xff" + good[65:]]
    signed = [
        consented(ledger, ann, flags=USER_PRESENT),
        consented(ledger, ann, flags=USER_VERIFIED),
        consented(ledger, ann, rp_id="evil.example"),
        consented(ledger, ann, end=b',"crossOrigin":true}'),
    ]
    entries = [*(replace(blank, proof=ConsentProof(PASSKEY, consent_proof(ANN.authorizer, each))) for each in proofs), *signed]
    assert ledger.submit(FUEL, entries) == [(index, RefusalReason.CONSENT_INVALID) for index in range(len(entries))]


def test_a_removed_passkey_spends_nothing_and_the_one_put_in_its_place_does(ledger: PointsLedger, ann: bytes) -> None:
    given_before = consented(ledger, ann)
    hers = authorizer_id(PASSKEY, ANN.authorizer)
    assert change(ledger, ann, (PASSKEY, BOB.authorizer), hers, 0, ANN).succeeded
    ledger.model.change_authorizers(ann, PASSKEY, BOB.authorizer, hers, signed_by=hers)
    assert ledger.submit(FUEL, [given_before, consented(ledger, ann)]) == [
        (0, RefusalReason.NOT_AN_AUTHORIZER),
        (1, RefusalReason.NOT_AN_AUTHORIZER),
    ]
    assert ledger.submit(FUEL, [consented(ledger, ann, by=BOB)]) == []


def test_a_change_of_authorizers_needs_the_members_own_passkey_over_that_very_change(ledger: PointsLedger, ann: bytes) -> None:
    key = (AuthorizerKind.KEY, address_of(key_of("ann's phone")))
    assert ledger.reverted(change(ledger, ann, key, bytes(32), 0, BOB)) == "AuthorizerAbsent"
    deadline = ledger.now + 3_600
    asked = AuthorizerChange(MemberId(ann), *key, Hash(bytes(32)), 0, deadline)
    proof = ANN.consent(member_act_digest(ledger.members_domain, asked))
    to_a_thief = ann, AuthorizerKind.KEY, address_of(key_of("thief")), bytes(32), 0, deadline
    assert ledger.reverted(ledger.transact("changeAuthorizers", to_a_thief, PASSKEY, proof)) == "MemberProofInvalid"
    assert ledger.transact("changeAuthorizers", astuple(asked), PASSKEY, proof).succeeded
    assert ledger.view("isAuthorizer", ann, authorizer_id(*key))
