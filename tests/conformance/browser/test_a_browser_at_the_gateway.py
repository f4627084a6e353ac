"""What a real browser's passkey signed, at the gateway: accepted once; all else is answered with its reason, and nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gateway.ledger.members import authorizer_id
from gateway.ledger.passkeys import Passkey, PasskeyRefusal, consent_proof
from gateway.members.passkey_refusals import PASSKEY_REFUSALS
from gateway.projection.tables import LedgerAuthorizerRow
from gateway.values.ids import MemberId
from tests.builders.offline_coalition import OfflineCoalition
from tests.builders.passkeys import SoftwareAuthenticator, with_high_s
from tests.conformance.browser.wallet import RP_ID, Wallet

SALT = "0x" + "07" * 32
OTHER_ORDER = "0x" + "ab" * 32


@pytest.fixture
def coalition(tmp_path: Path) -> Iterator[OfflineCoalition]:
    made = OfflineCoalition(tmp_path)
    yield made
    made.close()


@pytest.fixture
def ann(coalition: OfflineCoalition, wallet: Wallet) -> str:
    """A member whose passkey is the browser's, with 100 points of brand 1."""
    for brand_id in (1, 2):
        coalition.brand(brand_id)
    key = {"x": "0x" + wallet.passkey.x.hex(), "y": "0x" + wallet.passkey.y.hex()}
    enrolment = {"authorizer": {"kind": 3, **key, "rp_id": RP_ID, "origin": wallet.passkey.origin}, "salt": SALT}
    answer = coalition.post("operator", "/v1/members", enrolment)
    assert answer.status_code == 202, answer.text
    member = str(answer.json()["member_id"])
    put_authorizer(coalition, member, wallet.passkey)
    coalition.put_points(member, 100)
    return member


def put_authorizer(coalition: OfflineCoalition, member: str, passkey: Passkey) -> None:
    authorizer = passkey.authorizer()
    row = {"authorizer_id": authorizer_id(3, authorizer), "kind": 3, "authorizer": authorizer}
    with coalition.database.write() as session:
        session.add(LedgerAuthorizerRow(member_id=MemberId.parse(member), **row))


def consent(
    coalition: OfflineCoalition, member: str, sign: Callable[[bytes], bytes], wallet: Wallet, bound: Passkey | None = None
) -> dict[str, Any]:
    """A quote of 60 points at brand 2, and what the browser made of its reservation id; the proof names `bound` in the passkey's place."""
    quote = coalition.post("brand:2", "/v1/quotes", {"order_id": "order-1", "member_id": member, "points": 60}).json()
    proof = consent_proof((bound or wallet.passkey).authorizer(), sign(bytes.fromhex(quote["reservation_id"][2:])))
    terms = {name: quote[name] for name in ("points", "discount_minor", "order_hash", "nonce", "deadline")}
    return {"order_id": "order-1", "member_id": member, **terms, "proof_kind": 3, "proof": "0x" + proof.hex()}


def test_a_browsers_consent_is_accepted_once(coalition: OfflineCoalition, ann: str, wallet: Wallet) -> None:
    body = consent(coalition, ann, wallet.sign, wallet)
    assert coalition.post("brand:2", "/v1/redemptions", body).status_code == 202
    again = coalition.post("brand:2", "/v1/authorizations", body)
    assert again.status_code == 409


@pytest.mark.parametrize(
    "change",
    [
        lambda body: {"points": body["points"] - 1},
        lambda body: {"discount_minor": body["discount_minor"] + 1},
        lambda body: {"order_hash": OTHER_ORDER},
        lambda body: {"order_id": "order-2"},
        lambda body: {"nonce": body["nonce"] + 1},
        lambda body: {"deadline": body["deadline"] - 1},
    ],
    ids=["points", "discount", "order as shown", "order's id", "nonce", "deadline"],
)
def test_what_the_browser_did_not_approve_of_is_refused(
    coalition: OfflineCoalition, ann: str, wallet: Wallet, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    body = consent(coalition, ann, wallet.sign, wallet)
    refused(coalition, "brand:2", body | change(body), PasskeyRefusal.OTHER_CHALLENGE)


def test_what_was_approved_of_for_one_brand_is_refused_at_another(coalition: OfflineCoalition, ann: str, wallet: Wallet) -> None:
    refused(coalition, "brand:1", consent(coalition, ann, wallet.sign, wallet), PasskeyRefusal.OTHER_CHALLENGE)


MISSIGNED: dict[str, tuple[Callable[[Wallet, bytes], bytes], PasskeyRefusal]] = {
    "another origin": (Wallet.sign_elsewhere, PasskeyRefusal.OTHER_ORIGIN),
    "a stranger's frame": (Wallet.sign_in_a_strangers_frame, PasskeyRefusal.CROSS_ORIGIN),
    "nobody present": (Wallet.sign_absent, PasskeyRefusal.USER_NOT_PRESENT),
    "nobody verified": (Wallet.sign_unverified, PasskeyRefusal.USER_NOT_VERIFIED),
    "high s": (lambda wallet, digest: with_high_s(wallet.sign(digest)), PasskeyRefusal.HIGH_S),
}


@pytest.mark.parametrize(("sign", "reason"), MISSIGNED.values(), ids=MISSIGNED)
def test_what_a_browser_signs_otherwise_is_refused_by_name(
    coalition: OfflineCoalition, ann: str, wallet: Wallet, sign: Callable[[Wallet, bytes], bytes], reason: PasskeyRefusal
) -> None:
    refused(coalition, "brand:2", consent(coalition, ann, lambda digest: sign(wallet, digest), wallet), reason)


def test_a_passkey_bound_to_another_relying_party_is_refused(coalition: OfflineCoalition, ann: str, wallet: Wallet) -> None:
    bound = replace(wallet.passkey, rp_id_hash=sha256(b"wallet.example").digest())
    put_authorizer(coalition, ann, bound)
    refused(coalition, "brand:2", consent(coalition, ann, wallet.sign, wallet, bound), PasskeyRefusal.OTHER_RELYING_PARTY)


def test_a_passkey_that_was_removed_is_refused(coalition: OfflineCoalition, ann: str, wallet: Wallet) -> None:
    body = consent(coalition, ann, wallet.sign, wallet)
    with coalition.database.write() as session:
        session.delete(session.get_one(LedgerAuthorizerRow, (MemberId.parse(ann), authorizer_id(3, wallet.authorizer))))
    put_authorizer(coalition, ann, SoftwareAuthenticator("ann's next phone").passkey)
    with coalition.no_trace():
        answer = coalition.post("brand:2", "/v1/redemptions", body).json()
    assert (answer["code"], answer["detail"]) == ("consent_refused", "the passkey named in the proof is not one of the member's")


def refused(coalition: OfflineCoalition, caller: str, body: dict[str, Any], reason: PasskeyRefusal) -> None:
    with coalition.no_trace():
        answer = coalition.post(caller, "/v1/redemptions", body)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem.get("facts", {}).get("reason")) == (422, "consent_refused", reason.value)
    assert problem["detail"] == PASSKEY_REFUSALS[reason]
