"""Quote, authorize, capture, void, point refund, redeem: consent, deadlines and points are checked before anything is stored."""

from __future__ import annotations

from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey

from gateway.ledger.signing import Domain, consent_digest, reference
from gateway.values.ids import Address, Hash
from tests.builders.offline_coalition import COALITION_ID, POINTS_ADDRESS, START, OfflineCoalition, Shopper

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
TODAY = START // 86_400
RESERVATION = "0x" + "e5" * 32


@pytest.fixture
def shopper(coalition: OfflineCoalition) -> Shopper:
    """A member with 100 points of brand 1; brand 2 accepts them."""
    coalition.brand(1)
    coalition.brand(2)
    made = coalition.shopper()
    coalition.put_points(made.member_id, 100, brand_id=1)
    return made


@pytest.mark.parametrize("path", ["/v1/authorizations", "/v1/redemptions"])
def test_a_consented_redemption_is_accepted_and_its_points_are_no_longer_available(
    coalition: OfflineCoalition, shopper: Shopper, path: str
) -> None:
    body = coalition.consent(shopper, 2, 60, "order-1")
    answer = coalition.post("brand:2", path, body)
    assert answer.status_code == 202, answer.text
    shown = answer.json()["authorization"]
    assert (shown["order_id"], shown["points"], shown["status"]) == ("order-1", 60, "accepted")
    points = coalition.get("brand:1", f"/v1/members/{shopper.member_id}/points").json()
    assert (points["available"], points["pending_out"], points["ledger"]) == (40, 60, 100)


def test_a_quote_covers_an_amount_as_far_as_the_points_reach(coalition: OfflineCoalition, shopper: Shopper) -> None:
    coalition.put_points(shopper.member_id, 30, brand_id=2, months=3)
    asked = {"order_id": "o", "member_id": shopper.member_id}
    part = coalition.post("brand:2", "/v1/quotes", {**asked, "amount_minor": 45}).json()
    assert (part["points"], part["amount_minor"], part["currency"]) == (45, 45, "USD")
    assert [(lot["brand_id"], lot["points"]) for lot in part["lots"]] == [(2, 30), (1, 15)], "nearest expiry first"
    assert coalition.post("brand:2", "/v1/quotes", {**asked, "amount_minor": 5_000}).json()["points"] == 130
    assert part["typed_data"]["domain"]["salt"] == COALITION_ID
    assert part["typed_data"]["message"]["points"] == 45


@pytest.mark.parametrize(
    ("status", "last_day", "accepted"),
    [("in_default", 0, False), ("running_off", TODAY - 1, False), ("running_off", TODAY, True), ("suspended", 0, True)],
    ids=["in default", "closed", "its last day", "suspended"],
)
def test_points_of_a_brand_that_nobody_accepts_are_passed_over(
    coalition: OfflineCoalition, shopper: Shopper, status: str, last_day: int, accepted: bool
) -> None:
    coalition.put_points(shopper.member_id, 30, brand_id=2, months=24)
    coalition.activate(1, status, last_day=last_day)
    asked = {"order_id": "o", "member_id": shopper.member_id}
    quoted = coalition.post("brand:2", "/v1/quotes", {**asked, "amount_minor": 120}).json()
    assert [(lot["brand_id"], lot["points"]) for lot in quoted["lots"]] == ([(1, 100), (2, 20)] if accepted else [(2, 30)])
    points = coalition.get("brand:1", f"/v1/members/{shopper.member_id}/points?worth_at_brand=2").json()
    assert (points["available"], points["not_accepted"], points["ledger"]) == ((130, 0, 130) if accepted else (30, 100, 130))
    assert points["worth"]["amount_minor"] == points["available"]
    if not accepted:
        answer = coalition.post("brand:2", "/v1/quotes", {**asked, "points": 31})
        assert (answer.status_code, answer.json()["facts"]) == (409, {"points": 31, "available": 30})


def test_a_quote_stores_nothing(coalition: OfflineCoalition, shopper: Shopper) -> None:
    with coalition.no_trace():
        coalition.post("brand:2", "/v1/quotes", {"order_id": "o", "member_id": shopper.member_id, "points": 10})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"points": 101}, 409, "not_enough_points"),
        ({}, 422, "invalid"),
        ({"points": 5, "amount_minor": 5}, 422, "invalid"),
        ({"points": 0}, 422, "invalid"),
        ({"amount_minor": -1}, 422, "invalid"),
        ({"points": 5, "valid_seconds": 604_801}, 422, "invalid"),
        ({"points": 5, "member_id": "0x" + "77" * 20}, 404, "not_found"),
    ],
)
def test_a_quote_is_refused(coalition: OfflineCoalition, shopper: Shopper, body: dict[str, Any], status: int, code: str) -> None:
    answer = coalition.post("brand:2", "/v1/quotes", {"order_id": "o", "member_id": shopper.member_id, **body})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def _signed(shopper: Shopper, domain: Domain | None = None, **terms: Any) -> dict[str, Any]:
    """A consent signed over `terms` instead of what a quote gave."""
    asked = {"brand": 2, "points": 60, "nonce": 7, "deadline": START + 600, "order_id": "order-1", **terms}
    domain = domain or Domain(7_951, Address.parse(POINTS_ADDRESS), Hash.parse(COALITION_ID))
    digest = consent_digest(
        domain,
        bytes.fromhex(shopper.member_id[2:]),
        asked["brand"],
        asked["points"],
        reference(b"\x02" * 32, "order", asked["order_id"]),
        asked["nonce"],
        asked["deadline"],
    )
    return {
        "order_id": asked["order_id"],
        "member_id": shopper.member_id,
        "points": asked["points"],
        "nonce": asked["nonce"],
        "deadline": asked["deadline"],
        "proof": shopper.sign("0x" + digest.hex()),
    }


def test_a_consent_made_without_a_quote_is_as_good(coalition: OfflineCoalition, shopper: Shopper) -> None:
    assert coalition.post("brand:2", "/v1/authorizations", _signed(shopper)).status_code == 202


def _flip_to_high_s(proof: str) -> str:
    raw = bytes.fromhex(proof[2:])
    s = ORDER - int.from_bytes(raw[32:64])
    return "0x" + (raw[:32] + s.to_bytes(32) + bytes([55 - raw[64]])).hex()


@pytest.mark.parametrize("path", ["/v1/authorizations", "/v1/redemptions"])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("another key", "consent_refused"),
        ("other points", "consent_refused"),
        ("another brand", "consent_refused"),
        ("another order", "consent_refused"),
        ("another coalition", "consent_refused"),
        ("another chain", "consent_refused"),
        ("another contract", "consent_refused"),
        ("deadline passed", "consent_refused"),
        ("deadline too far", "consent_refused"),
        ("high s", "consent_refused"),
        ("odd v", "consent_refused"),
        ("zeros", "consent_refused"),
        ("more than held", "not_enough_points"),
        ("short proof", "invalid"),
        ("unknown proof kind", "invalid"),
        ("nonce too large", "invalid"),
        ("negative points", "invalid"),
        ("fractional points", "invalid"),
    ],
)
def test_a_bad_consent_is_refused_and_leaves_no_trace(
    coalition: OfflineCoalition, shopper: Shopper, name: str, code: str, path: str
) -> None:
    here, ours = Address.parse(POINTS_ADDRESS), Hash.parse(COALITION_ID)
    good = _signed(shopper)
    body = {
        "another key": lambda: {**_signed(Shopper(PrivateKey(b"\x09" * 32), shopper.member_id))},
        "other points": lambda: {**good, "points": 61},
        "another brand": lambda: _signed(shopper, brand=1),
        "another order": lambda: {**good, "order_id": "order-2"},
        "another coalition": lambda: _signed(shopper, Domain(7_951, here, Hash(b"\xc1" * 32))),
        "another chain": lambda: _signed(shopper, Domain(7_952, here, ours)),
        "another contract": lambda: _signed(shopper, Domain(7_951, Address(b"\x98" * 20), ours)),
        "deadline passed": lambda: _signed(shopper, deadline=START),
        "deadline too far": lambda: _signed(shopper, deadline=START + 7 * 86_400 + 1),
        "high s": lambda: {**good, "proof": _flip_to_high_s(good["proof"])},
        "odd v": lambda: {**good, "proof": good["proof"][:-2] + "1d"},
        "zeros": lambda: {**good, "proof": "0x" + "00" * 64 + "1b"},
        "more than held": lambda: _signed(shopper, points=101),
        "short proof": lambda: {**good, "proof": good["proof"][:-2]},
        "unknown proof kind": lambda: {**good, "proof_kind": 4},
        "nonce too large": lambda: {**good, "nonce": 2**53},
        "negative points": lambda: {**good, "points": -60},
        "fractional points": lambda: {**good, "points": 60.5},
    }[name]()
    with coalition.no_trace():
        answer = coalition.post("brand:2", path, body)
        assert answer.json()["code"] == code, answer.text
        assert answer.status_code in (409, 422)


def test_a_claim_key_may_not_spend(coalition: OfflineCoalition, shopper: Shopper) -> None:
    key = PrivateKey(b"\x21" * 32)
    guest = Shopper(key, coalition.enroll(key, 33, kind=2))
    coalition.put_authorizer(guest.member_id, 2, key)
    coalition.put_points(guest.member_id, 100)
    body = coalition.consent(guest, 2, 60, "order-1")
    with coalition.no_trace():
        answer = coalition.post("brand:2", "/v1/redemptions", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "consent_refused")


def test_a_member_that_is_not_on_the_ledger_may_not_spend(coalition: OfflineCoalition, shopper: Shopper) -> None:
    key = PrivateKey(b"\x22" * 32)
    late = Shopper(key, coalition.enroll(key, 34))
    coalition.put_points(late.member_id, 100)
    body = coalition.consent(late, 2, 60, "order-1")
    with coalition.no_trace():
        assert coalition.post("brand:2", "/v1/redemptions", body).json()["code"] == "consent_refused"


def test_a_suspended_brand_accepts_points_and_one_in_default_does_not(coalition: OfflineCoalition, shopper: Shopper) -> None:
    body = coalition.consent(shopper, 2, 60, "order-1")
    coalition.activate(2, "suspended")
    assert coalition.post("brand:2", "/v1/redemptions", coalition.consent(shopper, 2, 10, "order-2")).status_code == 202
    coalition.activate(2, "in_default")
    with coalition.no_trace():
        assert coalition.post("brand:2", "/v1/redemptions", body).json()["code"] == "wrong_state"


def test_expired_points_cannot_be_spent(coalition: OfflineCoalition, shopper: Shopper) -> None:
    coalition.put_points(shopper.member_id, 50, brand_id=2, months=0 + 1)
    coalition.move_time(START + 60 * 86_400)
    points = coalition.get("brand:2", f"/v1/members/{shopper.member_id}/points").json()
    assert (points["available"], points["expired"], points["ledger"]) == (100, 50, 150)
    with coalition.no_trace():
        answer = coalition.post("brand:2", "/v1/redemptions", _signed(shopper, points=101, deadline=START + 60 * 86_400 + 600))
        assert answer.json()["code"] == "not_enough_points"


def test_reserved_points_cannot_be_spent(coalition: OfflineCoalition, shopper: Shopper) -> None:
    coalition.put_points(shopper.member_id, 100, reserved=41)
    with coalition.no_trace():
        assert coalition.post("brand:2", "/v1/redemptions", _signed(shopper)).json()["code"] == "not_enough_points"
    assert coalition.post("brand:2", "/v1/redemptions", _signed(shopper, points=59)).status_code == 202


def test_a_redemption_of_more_lots_than_an_entry_holds_is_refused(coalition: OfflineCoalition, shopper: Shopper) -> None:
    for months in range(1, 18):
        coalition.put_points(shopper.member_id, 1, brand_id=2, months=months)
    with coalition.no_trace():
        answer = coalition.post("brand:2", "/v1/redemptions", _signed(shopper, points=117))
        assert (answer.json()["code"], answer.json()["facts"]) == ("wrong_state", {"available_at_once": 115})
    quoted = coalition.post("brand:2", "/v1/quotes", {"order_id": "o", "member_id": shopper.member_id, "amount_minor": 9_999})
    assert quoted.json()["points"] == 115


def test_the_same_order_is_the_first_operation_again_and_other_content_is_refused(coalition: OfflineCoalition, shopper: Shopper) -> None:
    body = coalition.consent(shopper, 2, 60, "order-1")
    first = coalition.post("brand:2", "/v1/authorizations", body)
    with coalition.no_trace_but("idempotent_requests"):
        again = coalition.post("brand:2", "/v1/authorizations", body)
    assert again.json()["operation"] == first.json()["operation"]
    with coalition.no_trace():
        other = coalition.post("brand:2", "/v1/authorizations", _signed(shopper, points=10))
        assert (other.status_code, other.json()["code"]) == (409, "reference_reused")
        as_redemption = coalition.post("brand:2", "/v1/redemptions", body)
        assert as_redemption.json()["code"] == "reference_reused"


def test_capture_takes_no_more_than_reserved_no_later_than_the_deadline_and_once(coalition: OfflineCoalition, shopper: Shopper) -> None:
    coalition.put_reservation(RESERVATION, shopper.member_id, 2, 60)
    path = f"/v1/authorizations/{RESERVATION}/capture"
    with coalition.no_trace():
        assert coalition.post("brand:2", path, {"capture_id": "c", "points": 61}).json()["code"] == "not_enough_points"
        assert coalition.post("brand:1", path, {"capture_id": "c", "points": 60}).status_code == 404
        assert coalition.post("brand:2", path.replace("e5", "e6"), {"capture_id": "c", "points": 60}).status_code == 404
        for points in (0, -1, 1.5, "60", True, 2**64):
            assert coalition.post("brand:2", path, {"capture_id": "c", "points": points}).status_code == 422
    assert coalition.post("brand:2", path, {"capture_id": "c", "points": 60}).status_code == 202
    with coalition.no_trace():
        assert coalition.post("brand:2", path, {"capture_id": "d", "points": 1}).json()["code"] == "wrong_state"
        assert coalition.post("brand:2", path, {"capture_id": "c", "points": 59}).json()["code"] == "reference_reused"


def test_a_late_capture_is_refused_and_any_brand_may_void_then(coalition: OfflineCoalition, shopper: Shopper) -> None:
    coalition.put_reservation(RESERVATION, shopper.member_id, 2, 60)
    with coalition.no_trace():
        early = coalition.post("brand:1", f"/v1/authorizations/{RESERVATION}/void", {"void_id": "v"})
        assert (early.status_code, early.json()["code"]) == (409, "wrong_state")
    coalition.move_time(START + 3_601)
    with coalition.no_trace():
        late = coalition.post("brand:2", f"/v1/authorizations/{RESERVATION}/capture", {"capture_id": "c", "points": 60})
        assert late.json()["code"] == "wrong_state"
    assert coalition.post("brand:1", f"/v1/authorizations/{RESERVATION}/void", {"void_id": "v"}).status_code == 202


@pytest.mark.parametrize("status", ["captured", "voided"])
def test_a_closed_reservation_is_neither_captured_nor_voided(coalition: OfflineCoalition, shopper: Shopper, status: str) -> None:
    coalition.put_reservation(RESERVATION, shopper.member_id, 2, 60, status=status)
    with coalition.no_trace():
        for verb, body in (("capture", {"capture_id": "c", "points": 1}), ("void", {"void_id": "v"})):
            answer = coalition.post("brand:2", f"/v1/authorizations/{RESERVATION}/{verb}", body)
            assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


def test_point_refunds_never_exceed_what_was_captured_pending_ones_counted(coalition: OfflineCoalition, shopper: Shopper) -> None:
    coalition.put_reservation(RESERVATION, shopper.member_id, 2, 60, status="captured", captured=50, refunded=10)
    path = f"/v1/authorizations/{RESERVATION}/point-refunds"
    assert coalition.post("brand:2", path, {"point_refund_id": "a", "points": 30}).status_code == 202
    with coalition.no_trace():
        answer = coalition.post("brand:2", path, {"point_refund_id": "b", "points": 11})
        assert (answer.json()["code"], answer.json()["facts"]["left"]) == ("not_enough_points", 10)
    assert coalition.post("brand:2", path, {"point_refund_id": "b", "points": 10}).status_code == 202


def test_an_open_or_voided_reservation_has_nothing_to_refund(coalition: OfflineCoalition, shopper: Shopper) -> None:
    for status in ("open", "voided"):
        coalition.put_reservation(RESERVATION, shopper.member_id, 2, 60, status=status)
        with coalition.no_trace():
            path = f"/v1/authorizations/{RESERVATION}/point-refunds"
            assert coalition.post("brand:2", path, {"point_refund_id": "a", "points": 1}).json()["code"] == "wrong_state"


def test_an_authorization_on_its_way_cannot_be_captured_yet(coalition: OfflineCoalition, shopper: Shopper) -> None:
    answer = coalition.post("brand:2", "/v1/authorizations", coalition.consent(shopper, 2, 60, "order-1"))
    reservation_id = answer.json()["operation"]["reservation_id"]
    with coalition.no_trace():
        early = coalition.post("brand:2", f"/v1/authorizations/{reservation_id}/capture", {"capture_id": "c", "points": 60})
        assert (early.status_code, early.json()["code"]) == (409, "wrong_state")


def test_a_brand_does_not_see_another_brands_authorization(coalition: OfflineCoalition, shopper: Shopper) -> None:
    coalition.put_reservation(RESERVATION, shopper.member_id, 2, 60)
    assert coalition.get("brand:2", f"/v1/authorizations/{RESERVATION}").json()["points"] == 60
    assert coalition.get("auditor", f"/v1/authorizations/{RESERVATION}").status_code == 200
    assert coalition.get("brand:1", f"/v1/authorizations/{RESERVATION}").status_code == 404


def test_authorizations_and_captures_go_in_bulk(coalition: OfflineCoalition, shopper: Shopper) -> None:
    bodies = [_signed(shopper, points=points, order_id=f"order-{points}") for points in (60, 50, 40)]
    results = coalition.post("brand:2", "/v1/authorizations/bulk", {"authorizations": bodies}).json()["results"]
    assert [result["status"] for result in results] == ["accepted", "refused", "accepted"], "the second finds 40 points left"
    coalition.put_reservation(RESERVATION, shopper.member_id, 2, 60)
    captures = [{"reservation_id": RESERVATION, "capture_id": name, "points": points} for name, points in (("c", 60), ("d", 1))]
    results = coalition.post("brand:2", "/v1/captures/bulk", {"captures": captures}).json()["results"]
    assert [result["status"] for result in results] == ["accepted", "refused"]
