"""Payment refunds over HTTP: pieces sum to the whole, nothing is taken twice, and no more money goes back than was paid."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders.offline_coalition import OfflineCoalition, purchase_body


def refund(refund_id: str, amount_minor: Any, payment_id: str = "pay-1", **changes: Any) -> dict[str, Any]:
    return {
        "refund_id": refund_id,
        "payment_id": payment_id,
        "amount_minor": amount_minor,
        "occurred_at": "2017-03-15T10:00:00+02:00",
        "business_date": "2017-03-15",
        **changes,
    }


@pytest.fixture
def member_id(coalition: OfflineCoalition) -> str:
    """Has bought for 25.00 and earned 25 points."""
    coalition.brand(1)
    made = coalition.shopper().member_id
    assert coalition.post("brand:1", "/v1/purchases", purchase_body(member_id=made)).json()["points"] == 25
    return made


def test_refunds_in_pieces_claw_back_exactly_what_was_earned(coalition: OfflineCoalition, member_id: str) -> None:
    due = [coalition.post("brand:1", "/v1/payment-refunds", refund(f"r{n}", 333)).json()["points_due"] for n in range(7)]
    due.append(coalition.post("brand:1", "/v1/payment-refunds", refund("rest", 2_500 - 7 * 333)).json()["points_due"])
    assert sum(due) == 25
    assert due == [3, 3, 3, 4, 3, 3, 4, 2]


def test_a_clawback_names_the_issue_and_counts_as_pending_out(coalition: OfflineCoalition, member_id: str) -> None:
    coalition.put_points(member_id, 100)
    answer = coalition.post("brand:1", "/v1/payment-refunds", refund("r", 2_500))
    assert answer.status_code == 202
    assert answer.json()["operation"]["kind"] == "clawback"
    points = coalition.get("brand:1", f"/v1/members/{member_id}/points").json()
    assert (points["available"], points["pending"], points["pending_out"]) == (75, 25, 25)


def test_no_more_goes_back_than_was_paid(coalition: OfflineCoalition, member_id: str) -> None:
    coalition.post("brand:1", "/v1/payment-refunds", refund("r1", 2_000))
    with coalition.no_trace():
        answer = coalition.post("brand:1", "/v1/payment-refunds", refund("r2", 501))
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert coalition.post("brand:1", "/v1/payment-refunds", refund("r2", 500)).json()["points_due"] == 5


def test_what_was_paid_with_points_is_not_paid_back_in_money(coalition: OfflineCoalition, member_id: str) -> None:
    coalition.post("brand:1", "/v1/purchases", purchase_body("mixed", member_id=member_id, paid_with_points_minor=500))
    assert coalition.post("brand:1", "/v1/payment-refunds", refund("r", 2_000, "mixed")).json()["points_due"] == 20
    assert coalition.post("brand:1", "/v1/payment-refunds", refund("s", 1, "mixed")).json()["code"] == "wrong_state"


def test_a_refund_of_what_earned_nothing_is_kept_without_an_operation(coalition: OfflineCoalition, member_id: str) -> None:
    coalition.post("brand:1", "/v1/purchases", purchase_body("guest"))
    answer = coalition.post("brand:1", "/v1/payment-refunds", refund("r", 2_500, "guest"))
    assert (answer.status_code, answer.json()["points_due"], answer.json()["operation"]) == (201, 0, None)


def test_an_issue_that_was_refused_is_not_clawed_back(coalition: OfflineCoalition, member_id: str) -> None:
    operation = coalition.get("brand:1", "/v1/purchases/pay-1").json()["operation"]
    coalition.post("brand:1", "/v1/payment-refunds", refund("before", 1_000))
    coalition.finish(operation["operation_id"], "refused", "LimitExceeded")
    assert coalition.post("brand:1", "/v1/payment-refunds", refund("after", 1_000)).json()["points_due"] == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (refund("r", 0), 422, "invalid"),
        (refund("r", -1), 422, "invalid"),
        (refund("r", 1.5), 422, "invalid"),
        (refund("r", "100"), 422, "invalid"),
        (refund("r", 2**63), 422, "invalid"),
        (refund("r", 100, "unknown"), 404, "not_found"),
        (refund("r", 100, occurred_at="2017-03-15T10:00:00"), 422, "invalid"),
        (refund("r", 100, business_date="2017-04-15"), 422, "invalid"),
        (refund("r r", 100), 422, "invalid"),
    ],
)
def test_a_bad_refund_is_refused_and_leaves_no_trace(
    coalition: OfflineCoalition, member_id: str, body: dict[str, Any], status: int, code: str
) -> None:
    with coalition.no_trace():
        answer = coalition.post("brand:1", "/v1/payment-refunds", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_another_brand_cannot_refund_the_payment(coalition: OfflineCoalition, member_id: str) -> None:
    coalition.brand(2)
    with coalition.no_trace():
        assert coalition.post("brand:2", "/v1/payment-refunds", refund("r", 100)).status_code == 404


def test_two_refunds_of_one_payment_in_one_bulk_share_its_floor(coalition: OfflineCoalition, member_id: str) -> None:
    items = [refund("a", 1_250), refund("b", 1_250), refund("c", 1)]
    results = coalition.post("brand:1", "/v1/payment-refunds/bulk", {"payment_refunds": items}).json()["results"]
    assert [result["status"] for result in results] == ["accepted", "accepted", "refused"]
    assert [result["operation"]["points"] for result in results[:2]] == [12, 13]


def test_the_reported_shortfall_is_shown(coalition: OfflineCoalition, member_id: str) -> None:
    coalition.post("brand:1", "/v1/payment-refunds", refund("r", 2_500))
    with coalition.database.write() as session:
        session.connection().exec_driver_sql("UPDATE award_clawbacks SET points_short = 4")
    assert coalition.get("brand:1", "/v1/payment-refunds/r").json()["points_short"] == 4


def test_a_refund_that_finds_no_points_is_stored_and_says_so_whatever_its_answer_waited_for(
    coalition: OfflineCoalition, member_id: str
) -> None:
    answer = coalition.post("brand:1", "/v1/payment-refunds", refund("r", 2_500), Idempotency_Key="first")
    assert answer.status_code == 202
    coalition.finish(answer.json()["operation"]["operation_id"], "refused", "nothing_left_to_claw_back")
    for headers in ({"Prefer": "wait=5"}, {}):
        again = coalition.post("brand:1", "/v1/payment-refunds", refund("r", 2_500), Idempotency_Key="first", **headers)
        assert (again.status_code, again.json()["points_due"]) == (200, 25)
    coalition.post("brand:1", "/v1/purchases", purchase_body("pay-2", member_id=member_id))
    unknown = coalition.post("brand:1", "/v1/payment-refunds", refund("s", 2_500, "pay-2"), Idempotency_Key="second")
    coalition.finish(unknown.json()["operation"]["operation_id"], "refused", "signer_refused: unknown_refund")
    again = coalition.post("brand:1", "/v1/payment-refunds", refund("s", 2_500, "pay-2"), Idempotency_Key="second", Prefer="wait=5")
    assert (again.status_code, again.json()["code"]) == (409, "operation_refused"), "nobody looked for points"


def test_a_failed_refund_that_had_taken_nothing_gives_nothing_back_and_is_stored(coalition: OfflineCoalition, member_id: str) -> None:
    coalition.post("brand:1", "/v1/payment-refunds", refund("r", 2_500))
    failure = {"occurred_at": "2017-03-15T10:00:00+02:00"}
    answer = coalition.post("brand:1", "/v1/payment-refunds/r/failure", failure, Idempotency_Key="failed")
    (restore,) = answer.json()["restores"]
    coalition.finish(restore["operation_id"], "refused", "nothing_to_restore")
    again = coalition.post("brand:1", "/v1/payment-refunds/r/failure", failure, Idempotency_Key="failed", Prefer="wait=5")
    assert (again.status_code, again.json()["failed"], again.json()["points_restored"]) == (200, True, 0)
