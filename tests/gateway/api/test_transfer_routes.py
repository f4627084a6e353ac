"""Transfers between members: both sign what a brand drafted, lot by lot; what is not good is refused with a reason and no trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.ledger.members import authorizer_id
from gateway.projection.tables import LedgerAuthorizerRow, LedgerEntryRow
from gateway.rounds.lot_operation import TransferOperation
from gateway.rounds.operation_codec import operation_of
from gateway.rounds.tables import OperationRow
from gateway.values.ids import MemberId, ReservationId
from tests.builders.granting import lock_spending, signed_transfer
from tests.builders.offline_coalition import START, OfflineCoalition, Shopper
from tests.builders.passkeys import SoftwareAuthenticator

Body = dict[str, Any]


@pytest.fixture
def giver(coalition: OfflineCoalition) -> Shopper:
    """A member with 100 points of brand 1 and 30 of brand 2 that expire sooner."""
    coalition.brand(1)
    coalition.brand(2)
    made = coalition.shopper(1)
    coalition.put_points(made.member_id, 100, brand_id=1)
    coalition.put_points(made.member_id, 30, brand_id=2, months=3)
    return made


@pytest.fixture
def taker(coalition: OfflineCoalition, giver: Shopper) -> Shopper:
    return coalition.shopper(2)


def test_what_both_have_signed_is_accepted_and_no_longer_available(coalition: OfflineCoalition, giver: Shopper, taker: Shopper) -> None:
    body = signed_transfer(coalition, giver, taker, 45)
    answer = coalition.post("brand:2", "/v1/transfers", body)
    assert answer.status_code == 202, answer.text
    shown = answer.json()["transfer"]
    assert (shown["giver_id"], shown["taker_id"], shown["points"], shown["status"]) == (giver.member_id, taker.member_id, 45, "accepted")
    assert [(lot["brand_id"], lot["points"]) for lot in shown["lots"]] == [(2, 30), (1, 15)], "nearest expiry first"
    points = coalition.get("brand:1", f"/v1/members/{giver.member_id}/points").json()
    assert (points["available"], points["pending_out"]) == (85, 45)
    assert coalition.get("brand:2", f"/v1/transfers/{shown['transfer_id']}").json() == shown
    assert coalition.get("brand:1", f"/v1/transfers/{shown['transfer_id']}").status_code == 404, "another brand carried it"
    assert coalition.get("brand:2", "/v1/transfers/0x" + "00" * 32).status_code == 404


def test_an_operation_keeps_all_that_its_entry_needs(coalition: OfflineCoalition, giver: Shopper, taker: Shopper) -> None:
    body = signed_transfer(coalition, giver, taker, 45)
    operation_id = coalition.post("brand:2", "/v1/transfers", body).json()["operation"]["operation_id"]
    with coalition.database.read() as session:
        row = session.query(OperationRow).filter_by(operation_id=operation_id).one()
        kept = operation_of(row)
    assert isinstance(kept, TransferOperation)
    assert (str(kept.member_id), str(kept.taker_id), kept.points, kept.brand_id) == (giver.member_id, taker.member_id, 45, 2)
    assert ["0x" + proof.proof.hex() for proof in (kept.giver_proof, kept.taker_proof)] == [
        body[side]["proof"] for side in ("giver_proof", "taker_proof")
    ]


def test_a_passkey_signs_as_well_as_a_key(coalition: OfflineCoalition, giver: Shopper) -> None:
    phone = SoftwareAuthenticator("friend")
    numbers = {"x": "0x" + phone.passkey.x.hex(), "y": "0x" + phone.passkey.y.hex()}
    authorizer = {"kind": 3, **numbers, "rp_id": phone.rp_id, "origin": phone.origin}
    friend = coalition.post("operator", "/v1/members", {"authorizer": authorizer, "salt": "0x" + "05" * 32}).json()["member_id"]
    _put_passkey(coalition, friend, phone)
    quote = coalition.post("brand:2", "/v1/transfer-quotes", {"giver_id": giver.member_id, "taker_id": friend, "points": 10}).json()
    body = {
        "giver_id": giver.member_id,
        "taker_id": friend,
        "lots": [{"lot_id": lot["lot_id"], "points": lot["points"]} for lot in quote["lots"]],
        "nonce": quote["nonce"],
        "deadline": quote["deadline"],
        "giver_proof": {"proof_kind": 1, "proof": giver.sign(quote["transfer_id"])},
        "taker_proof": {"proof_kind": 3, "proof": "0x" + phone.consent(bytes.fromhex(quote["transfer_id"][2:])).hex()},
    }
    assert coalition.post("brand:2", "/v1/transfers", body).status_code == 202


def test_points_of_one_issuer_can_be_asked_for(coalition: OfflineCoalition, giver: Shopper, taker: Shopper) -> None:
    asked = {"giver_id": giver.member_id, "taker_id": taker.member_id, "brand_id": 1}
    quote = coalition.post("brand:2", "/v1/transfer-quotes", {**asked, "points": 100}).json()
    assert [(lot["brand_id"], lot["points"]) for lot in quote["lots"]] == [(1, 100)]
    assert coalition.post("brand:2", "/v1/transfer-quotes", {**asked, "points": 101}).json()["code"] == "not_enough_points"


def test_what_was_signed_is_good_once(coalition: OfflineCoalition, giver: Shopper, taker: Shopper) -> None:
    body = signed_transfer(coalition, giver, taker, 10)
    first = coalition.post("brand:2", "/v1/transfers", body).json()
    with coalition.no_trace():
        assert coalition.post("brand:2", "/v1/transfers", body).json()["code"] == "wrong_state", "on its way"
        assert coalition.post("brand:1", "/v1/transfers", body).json()["code"] == "wrong_state", "by another brand too"
    _on_ledger(coalition, first["transfer"]["transfer_id"], first["operation"]["operation_id"])
    with coalition.no_trace():
        answer = coalition.post("brand:1", "/v1/transfers", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


def _without(name: str) -> Callable[[Body], Body]:
    return lambda body: {key: value for key, value in body.items() if key != name}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (lambda body: {**body, "taker_proof": body["giver_proof"]}, 422, "consent_refused"),
        (lambda body: {**body, "giver_proof": body["taker_proof"]}, 422, "consent_refused"),
        (lambda body: {**body, "nonce": body["nonce"] ^ 1}, 422, "consent_refused"),
        (lambda body: {**body, "deadline": body["deadline"] + 1}, 422, "consent_refused"),
        (lambda body: {**body, "deadline": START}, 422, "consent_refused"),
        (lambda body: {**body, "deadline": START + 7 * 86_400 + 1}, 422, "consent_refused"),
        (lambda body: {**body, "lots": [{**body["lots"][0], "points": 9}]}, 422, "consent_refused"),
        (lambda body: {**body, "lots": body["lots"] * 2}, 422, "invalid"),
        (lambda body: {**body, "lots": []}, 422, "invalid"),
        (lambda body: {**body, "lots": [{"lot_id": "7", "points": 10}]}, 422, "invalid"),
        (lambda body: {**body, "lots": [{**body["lots"][0], "points": 0}]}, 422, "invalid"),
        (lambda body: {**body, "taker_id": body["giver_id"]}, 422, "invalid"),
        (lambda body: {**body, "taker_id": "0x" + "77" * 20}, 422, "consent_refused"),
        (lambda body: {**body, "giver_proof": {**body["giver_proof"], "proof_kind": 5}}, 422, "invalid"),
        (_without("taker_proof"), 422, "invalid"),
        (_without("lots"), 422, "invalid"),
    ],
)
def test_a_bad_transfer_is_refused_and_leaves_no_trace(
    coalition: OfflineCoalition, giver: Shopper, taker: Shopper, change: Callable[[Body], Body], status: int, code: str
) -> None:
    body = change(signed_transfer(coalition, giver, taker, 10))
    with coalition.no_trace():
        answer = coalition.post("brand:2", "/v1/transfers", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


@pytest.mark.parametrize("side", ["giver", "taker"])
def test_a_locked_member_neither_gives_nor_takes(coalition: OfflineCoalition, giver: Shopper, taker: Shopper, side: str) -> None:
    body = signed_transfer(coalition, giver, taker, 10)
    lock_spending(coalition, giver if side == "giver" else taker)
    asked = {"giver_id": giver.member_id, "taker_id": taker.member_id, "points": 10}
    with coalition.no_trace():
        for path, sent in (("/v1/transfers", body), ("/v1/transfer-quotes", asked)):
            answer = coalition.post("brand:2", path, sent)
            assert (answer.status_code, answer.json()["code"]) == (409, "member_locked")


def test_a_lot_that_is_over_by_then_is_not_moved(coalition: OfflineCoalition, giver: Shopper, taker: Shopper) -> None:
    last = (int(coalition.get("brand:1", f"/v1/members/{giver.member_id}/points").json()["lots"][0]["lot_id"]) & 0xFFFFFFFF) + 1
    coalition.move_time(last * 86_400 - 60)
    body = signed_transfer(coalition, giver, taker, 10)
    coalition.move_time(last * 86_400)
    with coalition.no_trace():
        answer = coalition.post("brand:2", "/v1/transfers", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "lot_expired")


def test_a_lot_gives_what_it_has_beyond_what_is_on_its_way_out(coalition: OfflineCoalition, giver: Shopper, taker: Shopper) -> None:
    body = signed_transfer(coalition, giver, taker, 30)
    assert coalition.post("brand:2", "/v1/redemptions", coalition.consent(giver, 2, 20, "order-1")).status_code == 202
    with coalition.no_trace():
        answer = coalition.post("brand:2", "/v1/transfers", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_enough_points")
    assert answer.json()["facts"]["available"] == 10


def test_a_brand_that_accepts_nothing_carries_nothing(coalition: OfflineCoalition, giver: Shopper, taker: Shopper) -> None:
    body = signed_transfer(coalition, giver, taker, 10)
    coalition.activate(2, "in_default")
    with coalition.no_trace():
        assert coalition.post("brand:2", "/v1/transfers", body).json()["code"] == "wrong_state"


def _put_passkey(coalition: OfflineCoalition, member_id: str, phone: SoftwareAuthenticator) -> None:
    with coalition.database.write() as session:
        session.add(
            LedgerAuthorizerRow(
                member_id=MemberId.parse(member_id),
                authorizer_id=authorizer_id(3, phone.authorizer),
                kind=3,
                authorizer=phone.authorizer,
            )
        )


def _on_ledger(coalition: OfflineCoalition, transfer_id: str, operation_id: str) -> None:
    """What the follower writes once the entry has counted."""
    coalition.finish(operation_id)
    with coalition.database.write() as session:
        session.add(
            LedgerEntryRow(
                position=1 << 40,
                brand_id=2,
                batch_number=1,
                entry_index=0,
                kind="transfer",
                member_id=None,
                points=10,
                reservation_id=ReservationId.parse(transfer_id),
                entry=b"",
                block_number=1,
                block_timestamp=START,
            )
        )
