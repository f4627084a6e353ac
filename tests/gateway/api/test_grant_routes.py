"""Redemptions under a grant, to the brand and to another member: within its limits, refused with a reason and no trace otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.ledger.consents import brand_grant_digest
from gateway.ledger.entries import BRAND_GRANT, MEMBER_GRANT
from gateway.ledger.signing import Domain, reference
from gateway.values.ids import Address, Hash, MemberId
from tests.builders.granting import UNTIL, grant, lock_spending, pool_consent
from tests.builders.offline_coalition import COALITION_ID, POINTS_ADDRESS, START, OfflineCoalition, Shopper

TODAY = START // 86_400


@pytest.fixture
def giver(coalition: OfflineCoalition) -> Shopper:
    """A member with 300 points of brand 1; brand 2 accepts them."""
    coalition.brand(1)
    coalition.brand(2)
    made = coalition.shopper(1)
    coalition.put_points(made.member_id, 300, brand_id=1)
    return made


@pytest.fixture
def spender(coalition: OfflineCoalition, giver: Shopper) -> Shopper:
    return coalition.shopper(2)


def unprompted(giver: Shopper, points: int, order_id: str = "order-1", **changes: Any) -> dict[str, Any]:
    what = {"order_id": order_id, "member_id": giver.member_id, "points": points, "discount_minor": points}
    return {**what, "deadline": START + 600, "proof_kind": BRAND_GRANT, **changes}


@pytest.mark.parametrize("path", ["/v1/authorizations", "/v1/redemptions"])
def test_a_brand_takes_a_small_amount_under_its_grant_without_a_signature(coalition: OfflineCoalition, giver: Shopper, path: str) -> None:
    grant(coalition, giver, 2)
    answer = coalition.post("brand:2", path, unprompted(giver, 50))
    assert answer.status_code == 202, answer.text
    shown = answer.json()["authorization"]
    domain = Domain(7_951, Address.parse(POINTS_ADDRESS), Hash.parse(COALITION_ID))
    due = brand_grant_digest(domain, MemberId.parse(giver.member_id), 2, reference(b"\x02" * 32, "order", "order-1"))
    assert (shown["reservation_id"], shown["points"], shown["spender_id"]) == (str(due), 50, None)
    assert coalition.get("brand:2", f"/v1/members/{giver.member_id}/points").json()["pending_out"] == 50


def test_what_is_on_its_way_counts_against_the_grant(coalition: OfflineCoalition, giver: Shopper) -> None:
    grant(coalition, giver, 2)
    assert coalition.post("brand:2", "/v1/redemptions", unprompted(giver, 50)).status_code == 202
    with coalition.no_trace():
        answer = coalition.post("brand:2", "/v1/redemptions", unprompted(giver, 31, "order-2"))
    assert (answer.status_code, answer.json()["code"]) == (409, "grant_exceeded")
    assert answer.json()["facts"] == {"points": 31, "per_purchase": 50, "left_today": 30, "left_in_all": 150}
    assert coalition.post("brand:2", "/v1/redemptions", unprompted(giver, 30, "order-2")).status_code == 202
    again = coalition.post("brand:2", "/v1/redemptions", unprompted(giver, 50))
    assert again.json()["operation"]["status"] == "accepted", "the same order is the first redemption again"
    assert coalition.post("brand:2", "/v1/redemptions", unprompted(giver, 49)).json()["code"] == "reference_reused"


@pytest.mark.parametrize(
    ("limits", "points", "code"),
    [
        ({}, 51, "grant_exceeded"),
        ({"per_day": 49}, 50, "grant_exceeded"),
        ({"spent_on_day": 31, "spent_in_all": 31, "spent_day": TODAY}, 50, "grant_exceeded"),
        ({"spent_on_day": 31, "spent_in_all": 31, "spent_day": TODAY - 1}, 50, None),
        ({"spent_in_all": 151}, 50, "grant_exceeded"),
        ({"per_purchase": 0}, 50, "grant_missing"),
        ({"until": START - 1}, 50, "grant_missing"),
        ({"until": START}, 50, None),
    ],
    ids=["a purchase", "a day", "today", "yesterday", "in all", "withdrawn", "over", "its last second"],
)
def test_a_grant_has_limits(coalition: OfflineCoalition, giver: Shopper, limits: dict[str, int], points: int, code: str | None) -> None:
    grant(coalition, giver, 2, **limits)
    if code is None:
        assert coalition.post("brand:2", "/v1/redemptions", unprompted(giver, points)).status_code == 202
        return
    with coalition.no_trace():
        answer = coalition.post("brand:2", "/v1/redemptions", unprompted(giver, points))
    assert (answer.status_code, answer.json()["code"]) == (409, code)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"discount_minor": 49}, "invalid"),
        ({"deadline": START}, "consent_refused"),
        ({"nonce": 1}, "invalid"),
        ({"proof": "0x" + "11" * 65}, "invalid"),
        ({"spender_id": "0x" + "77" * 20}, "invalid"),
        ({"proof_kind": MEMBER_GRANT}, "invalid"),
        ({"proof_kind": 1}, "invalid"),
        ({"member_id": "0x" + "77" * 20}, "consent_refused"),
    ],
)
def test_a_wrong_request_under_a_grant_leaves_no_trace(
    coalition: OfflineCoalition, giver: Shopper, changes: dict[str, Any], code: str
) -> None:
    grant(coalition, giver, 2)
    with coalition.no_trace():
        answer = coalition.post("brand:2", "/v1/redemptions", unprompted(giver, 50, **changes))
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_grant_is_to_one_brand_and_points_are_needed_too(coalition: OfflineCoalition, giver: Shopper) -> None:
    grant(coalition, giver, 2, per_purchase=400, per_day=400, in_all=400)
    assert coalition.post("brand:1", "/v1/redemptions", unprompted(giver, 50)).json()["code"] == "grant_missing"
    assert coalition.post("brand:2", "/v1/redemptions", unprompted(giver, 301)).json()["code"] == "not_enough_points"


def test_a_locked_member_spends_nothing_by_any_leave(coalition: OfflineCoalition, giver: Shopper, spender: Shopper) -> None:
    grant(coalition, giver, 2)
    grant(coalition, giver, spender)
    own, pooled = coalition.consent(giver, 2, 10, "own"), pool_consent(coalition, giver, spender, 10, "pooled")
    lock_spending(coalition, giver)
    with coalition.no_trace():
        for body in (own, pooled, unprompted(giver, 10)):
            answer = coalition.post("brand:2", "/v1/authorizations", body)
            assert (answer.status_code, answer.json()["code"]) == (409, "member_locked")
        asked = {"order_id": "o", "member_id": giver.member_id, "points": 10}
        assert coalition.post("brand:2", "/v1/quotes", asked).json()["code"] == "member_locked"


def test_another_member_spends_within_her_grant_and_signs_for_it(coalition: OfflineCoalition, giver: Shopper, spender: Shopper) -> None:
    grant(coalition, giver, spender)
    body = pool_consent(coalition, giver, spender, 50, "order-1")
    answer = coalition.post("brand:2", "/v1/authorizations", body)
    assert answer.status_code == 202, answer.text
    shown = answer.json()["authorization"]
    assert (shown["member_id"], shown["spender_id"], shown["points"]) == (giver.member_id, spender.member_id, 50)
    with coalition.no_trace():
        more = pool_consent(coalition, giver, spender, 31, "order-2")
        refused = coalition.post("brand:2", "/v1/authorizations", more)
    assert refused.json()["code"] == "grant_exceeded"


def test_what_is_no_spenders_consent_is_refused(coalition: OfflineCoalition, giver: Shopper, spender: Shopper) -> None:
    grant(coalition, giver, spender)
    stranger = coalition.shopper(3)
    good = pool_consent(coalition, giver, spender, 50, "order-1")
    quote = coalition.post("brand:2", "/v1/quotes", {"order_id": "o", "member_id": giver.member_id, "points": 1}).json()
    bad = {
        "signed by the giver": {**good, "proof": giver.sign(quote["reservation_id"])},
        "of another spender": {**good, "spender_id": stranger.member_id},
        "as if it were the giver's own": {name: value for name, value in good.items() if name != "spender_id"},
        "of a spender who is nobody": {**good, "spender_id": "0x" + "77" * 20},
        "more than was signed": {**good, "points": 51, "discount_minor": 51},
    }
    with coalition.no_trace():
        for name, body in bad.items():
            answer = coalition.post("brand:2", "/v1/authorizations", body)
            assert (answer.status_code, answer.json()["code"]) == (422, "consent_refused"), name


def test_a_spender_without_a_grant_or_with_a_lock_spends_nothing(coalition: OfflineCoalition, giver: Shopper, spender: Shopper) -> None:
    asked = {"order_id": "o", "member_id": giver.member_id, "spender_id": spender.member_id, "points": 50}
    assert coalition.post("brand:2", "/v1/quotes", asked).json()["code"] == "grant_missing"
    grant(coalition, spender, giver)
    assert coalition.post("brand:2", "/v1/quotes", asked).json()["code"] == "grant_missing", "a grant goes one way"
    grant(coalition, giver, spender)
    assert coalition.post("brand:2", "/v1/quotes", {**asked, "points": 51}).json()["code"] == "grant_exceeded"
    body = pool_consent(coalition, giver, spender, 50, "order-1")
    lock_spending(coalition, spender)
    with coalition.no_trace():
        assert coalition.post("brand:2", "/v1/authorizations", body).json()["code"] == "member_locked"


def test_a_grant_that_was_withdrawn_meanwhile_is_gone_at_once(coalition: OfflineCoalition, giver: Shopper, spender: Shopper) -> None:
    grant(coalition, giver, spender)
    body = pool_consent(coalition, giver, spender, 50, "order-1")
    grant(coalition, giver, spender, per_purchase=0)
    with coalition.no_trace():
        assert coalition.post("brand:2", "/v1/authorizations", body).json()["code"] == "grant_missing"


def test_a_members_points_name_the_lock_and_the_grants(coalition: OfflineCoalition, giver: Shopper, spender: Shopper) -> None:
    grant(coalition, giver, spender, spent_on_day=30, spent_in_all=150, spent_day=TODAY)
    grant(coalition, giver, 2, per_purchase=0)
    shown = coalition.get("brand:1", f"/v1/members/{giver.member_id}/points").json()
    assert shown["is_locked"] is False
    assert [(one["member_id"], one["left_today"], one["left_in_all"]) for one in shown["grants_given"]] == [(spender.member_id, 50, 50)]
    hers = coalition.get("brand:1", f"/v1/members/{spender.member_id}/points").json()
    received = {"giver_id": giver.member_id, "per_purchase": 50, "left_today": 50, "left_in_all": 50, "until": UNTIL}
    assert (hers["grants_received"], hers["grants_given"]) == ([received], [])
    lock_spending(coalition, giver)
    assert coalition.get("brand:1", f"/v1/members/{giver.member_id}/points").json()["is_locked"] is True
    assert coalition.get("brand:1", f"/v1/members/{spender.member_id}/points").json()["grants_received"] == []
