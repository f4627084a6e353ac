"""Passkeys over HTTP: enrolment, and consents that are refused with the verifier's own reason before anything is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from gateway.ledger.members import authorizer_id, member_id
from gateway.ledger.passkeys import PasskeyRefusal, consent_proof
from gateway.members.passkey_refusals import PASSKEY_REFUSALS
from gateway.projection.tables import LedgerAuthorizerRow
from gateway.values.ids import Hash, MemberId
from tests.builders.offline_coalition import COALITION_ID, OfflineCoalition
from tests.builders.passkeys import ORIGIN, RP_ID, USER_PRESENT, USER_VERIFIED, SoftwareAuthenticator, with_high_s

ANN, BOB = SoftwareAuthenticator("ann"), SoftwareAuthenticator("bob")
SALT = "0x" + "07" * 32


def enrolment(by: SoftwareAuthenticator = ANN, **changes: Any) -> dict[str, Any]:
    key = {"x": "0x" + by.passkey.x.hex(), "y": "0x" + by.passkey.y.hex()}
    return {"authorizer": {"kind": 3, **key, "rp_id": by.rp_id, "origin": by.origin, **changes}, "salt": SALT}


@pytest.fixture
def ann(coalition: OfflineCoalition) -> str:
    """A member with a passkey and 100 points of brand 1, as the ledger has her."""
    for brand_id in (1, 2):
        coalition.brand(brand_id)
    answer = coalition.post("operator", "/v1/members", enrolment())
    assert answer.status_code == 202, answer.text
    member = answer.json()["member_id"]
    put_authorizer(coalition, member, ANN)
    coalition.put_points(member, 100)
    return str(member)


def put_authorizer(coalition: OfflineCoalition, member: str, by: SoftwareAuthenticator) -> None:
    row = {"authorizer_id": authorizer_id(3, by.authorizer), "kind": 3, "authorizer": by.authorizer}
    with coalition.database.write() as session:
        session.add(LedgerAuthorizerRow(member_id=MemberId.parse(member), **row))


def consent(coalition: OfflineCoalition, member: str, prove: Callable[[bytes], bytes], order_id: str = "order-1") -> dict[str, Any]:
    """A quote of 60 points at brand 2, and the proof made of its reservation id."""
    quote = coalition.post("brand:2", "/v1/quotes", {"order_id": order_id, "member_id": member, "points": 60}).json()
    proof = prove(bytes.fromhex(quote["reservation_id"][2:]))
    terms = {name: quote[name] for name in ("points", "discount_minor", "order_hash", "nonce", "deadline")}
    return {"order_id": order_id, "member_id": member, **terms, "proof_kind": 3, "proof": "0x" + proof.hex()}


def test_a_members_id_commits_to_her_passkey(coalition: OfflineCoalition) -> None:
    answer = coalition.post("operator", "/v1/members", enrolment())
    expected = member_id(Hash.parse(COALITION_ID), 3, ANN.authorizer, bytes.fromhex(SALT[2:]))
    assert (answer.status_code, answer.json()["member_id"]) == (202, "0x" + expected.hex())
    assert ANN.authorizer == ANN.passkey.x + ANN.passkey.y + sha256(RP_ID.encode()).digest() + ORIGIN.encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"y": "0x" + "01" * 32},
        {"x": "0x01"},
        {"origin": ""},
        {"origin": 'https://wallet.example","x":"'},
        {"origin": "https://" + "a" * 121},
        {"origin": "https://wallet.example\\u002f"},
        {"rp_id": ""},
        {"rp_id": "Wallet.example"},
        {"address": "0x" + "ab" * 20},
        {"kind": 4},
    ],
)
def test_a_bad_passkey_is_not_enrolled(coalition: OfflineCoalition, changes: dict[str, Any]) -> None:
    with coalition.no_trace():
        answer = coalition.post("operator", "/v1/members", enrolment(**changes))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("path", ["/v1/authorizations", "/v1/redemptions"])
def test_a_passkeys_consent_is_accepted_once(coalition: OfflineCoalition, ann: str, path: str) -> None:
    body = consent(coalition, ann, ANN.consent)
    assert coalition.post("brand:2", path, body).status_code == 202
    other = {"/v1/authorizations": "/v1/redemptions", "/v1/redemptions": "/v1/authorizations"}[path]
    assert coalition.post("brand:2", other, body).status_code == 409


refused: dict[str, tuple[Callable[[bytes], bytes], PasskeyRefusal]] = {
    "over other terms": (lambda _: ANN.consent(bytes(32)), PasskeyRefusal.OTHER_CHALLENGE),
    "another origin": (
        lambda digest: consent_proof(ANN.authorizer, replace(ANN, origin="https://evil.example").sign(digest)),
        PasskeyRefusal.OTHER_ORIGIN,
    ),
    "another relying party": (lambda digest: ANN.consent(digest, rp_id="evil.example"), PasskeyRefusal.OTHER_RELYING_PARTY),
    "in a frame": (lambda digest: ANN.consent(digest, end=b',"crossOrigin":true}'), PasskeyRefusal.CROSS_ORIGIN),
    "nobody there": (lambda digest: ANN.consent(digest, flags=USER_VERIFIED), PasskeyRefusal.USER_NOT_PRESENT),
    "nobody verified": (lambda digest: ANN.consent(digest, flags=USER_PRESENT), PasskeyRefusal.USER_NOT_VERIFIED),
    "high s": (lambda digest: consent_proof(ANN.authorizer, with_high_s(ANN.sign(digest))), PasskeyRefusal.HIGH_S),
    "another's signature": (lambda digest: consent_proof(ANN.authorizer, BOB.sign(digest)), PasskeyRefusal.WRONG_SIGNATURE),
    "cut short": (lambda digest: ANN.consent(digest)[:-1], PasskeyRefusal.MALFORMED_CLIENT_DATA),
}


@pytest.mark.parametrize(("prove", "reason"), refused.values(), ids=refused)
def test_a_bad_assertion_is_answered_with_its_reason(
    coalition: OfflineCoalition, ann: str, prove: Callable[[bytes], bytes], reason: PasskeyRefusal
) -> None:
    body = consent(coalition, ann, prove)
    with coalition.no_trace():
        answer = coalition.post("brand:2", "/v1/redemptions", body)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["facts"]["reason"]) == (422, "consent_refused", reason.value)
    assert problem["detail"] == PASSKEY_REFUSALS[reason]


@pytest.mark.parametrize(
    "prove",
    [
        BOB.consent,
        replace(ANN, origin="https://evil.example").consent,
        lambda digest: b"\xff\xff" + ANN.consent(digest)[2:],
        lambda digest: ANN.sign(digest),
    ],
    ids=["another member's", "the same key at another origin", "longer than it is", "names no authorizer"],
)
def test_a_passkey_that_is_not_the_members_is_refused(coalition: OfflineCoalition, ann: str, prove: Callable[[bytes], bytes]) -> None:
    body = consent(coalition, ann, prove)
    with coalition.no_trace():
        answer = coalition.post("brand:2", "/v1/redemptions", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "consent_refused")


def test_a_removed_passkey_is_refused(coalition: OfflineCoalition, ann: str) -> None:
    body = consent(coalition, ann, ANN.consent)
    with coalition.database.write() as session:
        row = session.get_one(LedgerAuthorizerRow, (MemberId.parse(ann), authorizer_id(3, ANN.authorizer)))
        session.delete(row)
    put_authorizer(coalition, ann, BOB)
    assert coalition.post("brand:2", "/v1/redemptions", body).json()["code"] == "consent_refused"
    again = consent(coalition, ann, BOB.consent, "order-2")
    assert coalition.post("brand:2", "/v1/redemptions", again).status_code == 202


def test_a_proof_that_no_passkey_can_have_is_not_read(coalition: OfflineCoalition, ann: str) -> None:
    for proof in ("0x" + "00" * 64, "0x" + "00" * 1_059, "0x" + "0" * 201):
        answer = coalition.post("brand:2", "/v1/redemptions", {**consent(coalition, ann, ANN.consent), "proof": proof})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_every_reason_has_its_words() -> None:
    assert set(PASSKEY_REFUSALS) == set(PasskeyRefusal)
