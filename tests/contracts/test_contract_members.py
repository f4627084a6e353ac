"""Members on the real contract: enrolment anyone may relay, and changes of authorizers that only the member's own can make."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi import encode
from eth_keys import keys
from eth_utils import keccak

from gateway.ledger.entries import Authorize, ConsentProof, Issue, Redeem, encode_entry
from gateway.ledger.framing import pack_entries
from gateway.ledger.lots import Line
from gateway.ledger.members import authorizer_id, member_id
from gateway.ledger.refusals import RefusalReason
from tests.builders.abi import contract_abi
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import Outcome, key_of
from tests.builders.points_ledger import COALITION_ID, MEMBER_DELAY, PointsLedger, address_of, member_named

GROCER, FUEL = 1, 2
NOTHING = (0, b"")
NONE = bytes(32)
KEY, CLAIM_KEY, PASSKEY = 1, 2, 3

SAYS_YES = "60015f5260205ff3"
SAYS_NO = "5f5f5260205ff3"
SAYS_TWO = "60025f5260205ff3"
SAYS_NOTHING = "00"
REVERTS = "5f5ffd"
RUNS_FOR_EVER = "5b5f56"
SAYS_YES_TO_WHAT_IT_WAS_TOLD = "36602014601757365f5f37365f205f54145f5260205ff35b5f355f5500"  # 32 bytes: the hash of the one good question


def own_id(name: str, kind: int = KEY) -> bytes:
    return authorizer_id(kind, address_of(key_of(name)))


def named(name: str, kind: int = KEY) -> tuple[int, bytes]:
    return kind, address_of(key_of(name))


def issue_to(member: bytes) -> Issue:
    return Issue(member, 0, 5, BASIS, bytes(32))


def under_verifier(runtime: str) -> PointsLedger:
    """A ledger whose verifier of passkeys has this code."""
    code = bytes.fromhex(runtime)
    return PointsLedger((GROCER, FUEL), verifier=bytes.fromhex(f"60{len(code):02x}8060095f395ff3") + code)


def names(ledger: PointsLedger, outcome: Outcome) -> list[str]:
    return [event.name for event in ledger.events(outcome)]


def test_a_member_id_commits_to_its_first_authorizer(ledger: PointsLedger) -> None:
    outcome = ledger.transact("enroll", [(KEY, address_of(key_of("bob")), bytes(32))])
    (enrolled,) = ledger.events(outcome)
    assert bytes.fromhex(enrolled.values["member"][2:]) == member_named("bob")
    assert ledger.view("isAuthorizer", member_named("bob"), own_id("bob"))
    assert not ledger.view("isAuthorizer", member_named("bob"), own_id("carol"))
    assert not ledger.view("isAuthorizer", member_named("bob"), own_id("bob", CLAIM_KEY))


def test_enrolling_again_changes_nothing(ledger: PointsLedger) -> None:
    enrollment = (KEY, address_of(key_of("bob")), bytes(32))
    another = (KEY, address_of(key_of("bob")), b"\x01" * 32)
    assert names(ledger, ledger.transact("enroll", [enrollment, enrollment])) == ["MemberEnrolled"]
    assert names(ledger, ledger.transact("enroll", [enrollment, another])) == ["MemberEnrolled"]


def test_a_removed_first_authorizer_does_not_come_back_by_enrolling_again(ledger: PointsLedger) -> None:
    bob = ledger.enroll("bob")
    assert ledger.change_authorizers(bob, named("carol"), own_id("bob"), 0, key=key_of("bob")).succeeded
    ledger.sent("enroll", [(*named("bob"), bytes(32))])
    assert not ledger.view("isAuthorizer", bob, own_id("bob"))
    assert ledger.view("isAuthorizer", bob, own_id("carol"))


@pytest.mark.parametrize(
    ("kind", "authorizer", "reason"),
    [
        (0, bytes(20), "AuthorizerKindUnknown"),
        (KEY, bytes(20), "AuthorizerNotAnAddress"),
        (CLAIM_KEY, b"\x01" * 19, "AuthorizerNotAnAddress"),
        (PASSKEY + 1, b"\x01" * 64, "AuthorizerKindUnknown"),
    ],
)
def test_an_enrolment_with_an_impossible_authorizer_reverts(ledger: PointsLedger, kind: int, authorizer: bytes, reason: str) -> None:
    assert ledger.reverted(ledger.transact("enroll", [(kind, authorizer, bytes(32))])) == reason


def test_a_member_replaces_a_key_and_keeps_id_and_points(ledger: PointsLedger, ann: bytes, ann_key: keys.PrivateKey) -> None:
    outcome = ledger.change_authorizers(ann, named("new phone"), own_id("ann"), 0, key=ann_key)
    assert names(ledger, outcome) == ["MemberActed", "AuthorizerRemoved", "AuthorizerAdded"]
    ledger.model.change_authorizers(ann, *named("new phone"), own_id("ann"), signed_by=own_id("ann"))
    old = ledger.consented(Redeem, FUEL, ann, [Line(FUEL, 0, 1)], key=ann_key)
    new = ledger.consented(Redeem, FUEL, ann, [Line(FUEL, 0, 1)], key=key_of("new phone"))
    assert ledger.submit(FUEL, [old, new]) == [(0, RefusalReason.NOT_AN_AUTHORIZER)]
    assert ledger.view("memberActs", ann) == 1


@pytest.mark.parametrize(
    ("add", "remove", "other", "reason"),
    [
        (NOTHING, NONE, {}, "NothingToChange"),
        (NOTHING, own_id("ann"), {}, "LastAuthorizer"),
        (NOTHING, own_id("carol"), {}, "RemovalWaits"),
        (named("ann"), NONE, {}, "AuthorizerPresent"),
        (named("carol", CLAIM_KEY), NONE, {}, "AuthorizerKindUnknown"),
        (named("carol", PASSKEY + 1), NONE, {}, "AuthorizerKindUnknown"),
        ((KEY, b"\x01" * 21), NONE, {}, "AuthorizerNotAnAddress"),
        (named("carol"), NONE, {"nonce": 1}, "MemberActOutOfTurn"),
        (named("carol"), NONE, {"deadline": 1}, "MemberActExpired"),
        (named("carol"), NONE, {"kind": 0}, "MemberProofInvalid"),
        (named("carol"), NONE, {"kind": PASSKEY}, "MemberProofInvalid"),
        (named("carol"), NONE, {"kind": CLAIM_KEY}, "AuthorizerAbsent"),
        (named("carol"), NONE, {"key": key_of("stranger")}, "AuthorizerAbsent"),
    ],
)
def test_a_change_that_is_not_the_members_or_leaves_no_authorizer_reverts(
    ledger: PointsLedger, ann: bytes, add: tuple[int, bytes], remove: bytes, other: dict[str, Any], reason: str
) -> None:
    key, nonce = other.pop("key", key_of("ann")), other.pop("nonce", 0)
    assert ledger.reverted(ledger.change_authorizers(ann, add, remove, nonce, key=key, **other)) == reason
    assert ledger.view("isAuthorizer", ann, own_id("ann"))


def test_a_signed_change_is_good_once(ledger: PointsLedger, ann: bytes, ann_key: keys.PrivateKey) -> None:
    assert ledger.change_authorizers(ann, named("carol"), NONE, 0, key=ann_key).succeeded
    again = ledger.change_authorizers(ann, named("dave"), NONE, 0, key=ann_key)
    assert ledger.reverted(again) == "MemberActOutOfTurn"
    assert ledger.change_authorizers(ann, NOTHING, own_id("ann"), 1, key=ann_key).succeeded
    assert ledger.reverted(ledger.change_authorizers(ann, NOTHING, own_id("carol"), 2, key=key_of("carol"))) == "LastAuthorizer"


def test_a_claim_key_spends_nothing(ledger: PointsLedger) -> None:
    guest = ledger.enroll("receipt", CLAIM_KEY)
    for kind in (Redeem, Authorize):
        entry = ledger.consented(kind, FUEL, guest, [Line(FUEL, 0, 5)], key=key_of("receipt"))
        from_claim_key = ConsentProof(CLAIM_KEY, entry.proof.proof)
        claimed = ledger.consented(kind, FUEL, guest, [Line(FUEL, 0, 5)], key=key_of("receipt"), nonce=1, proof=from_claim_key)
        ledger.submit(FUEL, [issue_to(guest)])
        assert ledger.submit(FUEL, [entry, claimed]) == [
            (0, RefusalReason.NOT_AN_AUTHORIZER),
            (1, RefusalReason.CONSENT_INVALID),
        ]


def test_a_claim_key_is_dropped_by_its_first_change(ledger: PointsLedger) -> None:
    guest = ledger.enroll("receipt", CLAIM_KEY)
    claim_id = own_id("receipt", CLAIM_KEY)
    lone = ledger.change_authorizers(guest, NOTHING, claim_id, 0, key=key_of("receipt"), kind=CLAIM_KEY)
    assert ledger.reverted(lone) == "LastAuthorizer"
    claimed = ledger.change_authorizers(guest, named("phone"), NONE, 0, key=key_of("receipt"), kind=CLAIM_KEY)
    assert names(ledger, claimed) == ["MemberActed", "AuthorizerRemoved", "AuthorizerAdded"]
    ledger.model.change_authorizers(guest, *named("phone"), NONE, signed_by=claim_id)
    assert not ledger.view("isAuthorizer", guest, claim_id)
    again = ledger.change_authorizers(guest, named("thief"), NONE, 1, key=key_of("receipt"), kind=CLAIM_KEY)
    assert ledger.reverted(again) == "AuthorizerAbsent"
    ledger.submit(FUEL, [issue_to(guest)])
    entry = ledger.consented(Redeem, FUEL, guest, [Line(FUEL, 0, 5)], key=key_of("phone"))
    assert ledger.submit(FUEL, [entry]) == []


def test_a_claim_key_that_names_itself_for_removal_is_removed_once(ledger: PointsLedger) -> None:
    guest = ledger.enroll("receipt", CLAIM_KEY)
    claim_id = own_id("receipt", CLAIM_KEY)
    outcome = ledger.change_authorizers(guest, named("phone"), claim_id, 0, key=key_of("receipt"), kind=CLAIM_KEY)
    assert names(ledger, outcome) == ["MemberActed", "AuthorizerRemoved", "AuthorizerAdded"]


def test_the_verifier_of_passkeys_must_be_a_contract(ledger: PointsLedger) -> None:
    creation = contract_abi("Members").creation(ledger.governance.address, member_named("bob"), ledger.address, MEMBER_DELAY)
    outcome = ledger.chain.send(b"", creation)
    assert ledger.reverted(outcome) == "VerifierNotAContract"


def test_a_ledger_takes_no_register_of_members_of_another_ledger(ledger: PointsLedger) -> None:
    arguments = (ledger.governance.address, ledger.brands)
    settlement = ledger.chain.deploy(contract_abi("Settlement").creation(*arguments, ledger.chain.foreseen(1)))
    outcome = ledger.chain.send(b"", ledger.abi.creation(*arguments, ledger.members, settlement, b"EUR"))
    assert ledger.reverted(outcome) == "MembersOfAnotherLedger"


@pytest.mark.parametrize("runtime", [SAYS_YES, SAYS_NO, SAYS_TWO, SAYS_NOTHING, REVERTS, RUNS_FOR_EVER])
def test_only_a_verifier_that_says_yes_lets_points_be_spent(runtime: str) -> None:
    ledger = under_verifier(runtime)
    passkey = b"\x05" * 64
    ledger.sent("enroll", [(PASSKEY, passkey, bytes(32))])
    ledger.model.enroll(PASSKEY, passkey, bytes(32))
    member = member_id(COALITION_ID, PASSKEY, passkey, bytes(32))
    ledger.verifier_says = lambda *_: runtime == SAYS_YES
    proof = ConsentProof(PASSKEY, (64).to_bytes(2) + passkey + b"any proof")
    others = ConsentProof(PASSKEY, (63).to_bytes(2) + passkey[:63] + b"any proof")
    lines = [Line(FUEL, 0, 5)]
    entries = [
        ledger.consented(Redeem, FUEL, member, lines, key=key_of("x"), nonce=nonce, proof=each)
        for nonce, each in enumerate((others, proof))
    ]
    expected = [(1, RefusalReason.NOT_AN_AUTHORIZER)]
    if runtime != SAYS_YES:
        expected.append((2, RefusalReason.CONSENT_INVALID))
    assert ledger.submit(FUEL, [issue_to(member), *entries]) == expected


def test_the_verifier_is_asked_with_digest_authorizer_and_proof() -> None:
    ledger = under_verifier(SAYS_YES_TO_WHAT_IT_WAS_TOLD)
    passkey, proof_bytes = b"\x05" * 64, b"the proof"
    member = member_id(COALITION_ID, PASSKEY, passkey, bytes(32))
    lines = [Line(FUEL, 0, 5)]
    proof = ConsentProof(PASSKEY, (64).to_bytes(2) + passkey + proof_bytes)
    good = ledger.consented(Redeem, FUEL, member, lines, key=key_of("x"), proof=proof, deadline=ledger.now + 3_600)
    digest = ledger.reservation_id(FUEL, good)
    question = keccak(text="verify(bytes32,bytes,bytes)")[:4]
    question += encode(["bytes32", "bytes", "bytes"], [digest, passkey, proof_bytes])
    assert ledger.chain.send(ledger.passkey_verifier, keccak(question)).succeeded
    ledger.sent("enroll", [(PASSKEY, passkey, bytes(32))])
    ledger.model.enroll(PASSKEY, passkey, bytes(32))
    ledger.verifier_says = lambda *_: True
    assert ledger.submit(FUEL, [issue_to(member), good]) == []


def test_a_relay_that_gives_a_verifier_too_little_gas_stops_the_batch_and_refuses_nothing() -> None:
    ledger = under_verifier(SAYS_YES)
    passkey = b"\x05" * 64
    ledger.sent("enroll", [(PASSKEY, passkey, bytes(32))])
    member = member_id(COALITION_ID, PASSKEY, passkey, bytes(32))
    assert ledger.submit(FUEL, [issue_to(member)]) == []
    proof = ConsentProof(PASSKEY, (64).to_bytes(2) + passkey + b"any proof")
    entry = ledger.consented(Redeem, FUEL, member, [Line(FUEL, 0, 5)], key=key_of("x"), proof=proof)
    call = ledger.abi.call("submitBatch", *ledger.signed(FUEL, ledger.next_number(), pack_entries([encode_entry(entry)])))
    assert ledger.reverted(ledger.chain.send(ledger.address, call, gas=500_000)) == "NotEnoughGas"
    assert ledger.chain.send(ledger.address, call).succeeded


@pytest.mark.parametrize("kind", [0, PASSKEY + 3, 255])  # the two above passkeys are grants
def test_a_consent_of_a_kind_that_is_none_is_invalid_whatever_it_holds(ledger: PointsLedger, ann: bytes, kind: int) -> None:
    proof = ConsentProof(kind, (64).to_bytes(2) + b"\x05" * 64 + b"any proof")
    entry = ledger.consented(Redeem, FUEL, ann, [Line(FUEL, 0, 5)], key=key_of("x"), proof=proof)
    assert ledger.submit(FUEL, [issue_to(ann), entry]) == [(1, RefusalReason.CONSENT_INVALID)]
