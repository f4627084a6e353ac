"""Purchases over HTTP: what is accepted, what is refused and leaves no trace, and that a payment earns once."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.builders.offline_coalition import OfflineCoalition, purchase_body


def test_a_purchase_of_a_member_is_stored_with_an_issue_operation(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    shopper = coalition.shopper()
    answer = coalition.post("brand:1", "/v1/purchases", purchase_body(member_id=shopper.member_id))
    assert answer.status_code == 202, answer.text
    shown = answer.json()
    assert (shown["points"], shown["rule_version"]) == (25, 1)
    assert (shown["operation"]["kind"], shown["operation"]["status"], shown["operation"]["points"]) == ("issue", "accepted", 25)
    points = coalition.get("auditor", f"/v1/members/{shopper.member_id}/points").json()
    assert (points["available"], points["pending"], points["ledger"]) == (0, 25, 0)


@pytest.mark.parametrize(
    "changes",
    [{"member_id": None}, {"gross_minor": 99}, {"paid_with_points_minor": 2_450}, {"tax_minor": 2_450}],
    ids=["no member", "too little to earn", "paid with points", "all tax"],
)
def test_a_purchase_that_earns_nothing_is_kept_without_an_operation(coalition: OfflineCoalition, changes: dict[str, Any]) -> None:
    coalition.brand(1)
    body = purchase_body(**{"member_id": coalition.shopper().member_id, **changes})
    answer = coalition.post("brand:1", "/v1/purchases", body)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["points"], answer.json()["operation"]) == (0, None)
    assert coalition.get("brand:1", "/v1/purchases/pay-1").json()["gross_minor"] == body["gross_minor"]


def test_tax_earns_where_the_brand_says_so_and_nowhere_else(coalition: OfflineCoalition) -> None:
    coalition.brand(1, earn_on_tax=True)
    coalition.brand(2)
    member_id = coalition.shopper().member_id
    earned = [
        coalition.post(f"brand:{brand}", "/v1/purchases", purchase_body(member_id=member_id, tax_minor=500)).json()["points"]
        for brand in (1, 2)
    ]
    assert earned == [25, 20]


def test_the_rule_in_force_when_the_purchase_happened_counts(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    member_id = coalition.shopper().member_id
    rule = {"points": 3, "per_minor": 100, "valid_from": "2017-03-15T00:20:00+00:00"}
    assert coalition.post("operator", "/v1/brands/1/rules", rule).json()["version"] == 2
    before = purchase_body("before", member_id=member_id, occurred_at="2017-03-15T00:19:59+00:00")
    after = purchase_body("after", member_id=member_id, occurred_at="2017-03-15T01:20:00+01:00")
    shown = [coalition.post("brand:1", "/v1/purchases", body).json() for body in (before, after)]
    assert [(one["rule_version"], one["points"]) for one in shown] == [(1, 25), (2, 75)]


BAD = {
    "negative": {"gross_minor": -1},
    "zero": {"gross_minor": 0},
    "fractional": {"gross_minor": 25.5},
    "a float that is whole": {"gross_minor": 2500.0},
    "text": {"gross_minor": "2500"},
    "a boolean": {"gross_minor": True},
    "overflow": {"gross_minor": 2**63},
    "far overflow": {"gross_minor": 10**400},
    "tax above gross": {"tax_minor": 2_501},
    "points above gross": {"paid_with_points_minor": 2_501},
    "another currency": {"currency": "EUR"},
    "no currency": {"currency": "usd"},
    "no offset": {"occurred_at": "2017-03-15T00:30:00"},
    "a number for a moment": {"occurred_at": 1_489_536_000},
    "the future": {"occurred_at": "2017-03-19T00:30:00+00:00", "business_date": "2017-03-19"},
    "a far business date": {"business_date": "2017-02-01"},
    "no such day": {"business_date": "2017-02-30"},
    "a long payment id": {"payment_id": "p" * 129},
    "an empty payment id": {"payment_id": ""},
    "a payment id with a line break": {"payment_id": "pay\n1"},
    "no member id": {"member_id": "0x12"},
    "an unknown field": {"colour": "red"},
    "a long store": {"store": "s" * 81},
    "too many lines": {"lines": [{"category": "c", "amount_minor": 1}] * 1_001},
    "another brand's number type": {"brand_id": "1"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_a_bad_purchase_is_refused_and_leaves_no_trace(coalition: OfflineCoalition, changes: dict[str, Any]) -> None:
    coalition.brand(1)
    with coalition.no_trace():
        answer = coalition.post("brand:1", "/v1/purchases", purchase_body(**changes))
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "invalid"


def test_an_unknown_brand_and_another_brand_are_refused(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    coalition.brand(2)
    with coalition.no_trace():
        assert coalition.post("brand:1", "/v1/purchases", purchase_body(brand_id=77)).status_code == 404
        assert coalition.post("brand:1", "/v1/purchases", purchase_body(brand_id=2)).status_code == 403


def test_an_unknown_member_is_refused(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    with coalition.no_trace():
        answer = coalition.post("brand:1", "/v1/purchases", purchase_body(member_id="0x" + "77" * 20))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_brand_without_a_rule_cannot_record_purchases(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    coalition.post("operator", "/v1/brands/1/rules", {"points": 1, "per_minor": 100, "valid_from": "2017-03-15T00:00:00Z"})
    coalition.brand(2, reference_secret="0x" + "ab" * 32)
    with coalition.database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM earning_rules WHERE brand_id = 2")
    with coalition.no_trace():
        answer = coalition.post("brand:2", "/v1/purchases", purchase_body())
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


@pytest.mark.parametrize("status", ["suspended", "in_default"])
def test_a_brand_that_is_not_active_issues_nothing(coalition: OfflineCoalition, status: str) -> None:
    coalition.brand(1)
    member_id = coalition.shopper().member_id
    coalition.activate(1, status)
    with coalition.no_trace():
        answer = coalition.post("brand:1", "/v1/purchases", purchase_body(member_id=member_id))
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert coalition.post("brand:1", "/v1/purchases", purchase_body()).status_code == 201


def test_the_limit_counts_pending_issues(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    member_id = coalition.shopper().member_id
    coalition.activate(1, outstanding=999_950)
    assert coalition.post("brand:1", "/v1/purchases", purchase_body("one", member_id=member_id)).status_code == 202
    assert coalition.post("brand:1", "/v1/purchases", purchase_body("two", member_id=member_id)).status_code == 202
    with coalition.no_trace():
        answer = coalition.post("brand:1", "/v1/purchases", purchase_body("three", member_id=member_id, gross_minor=100))
        assert (answer.status_code, answer.json()["code"]) == (409, "limit_exceeded")
        assert answer.json()["facts"]["pending"] == 50


def test_the_same_payment_under_another_key_is_the_first_result_again(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    body = purchase_body(member_id=coalition.shopper().member_id)
    first = coalition.post("brand:1", "/v1/purchases", body)
    again = coalition.post("brand:1", "/v1/purchases", body)
    assert first.json() == again.json()
    counts = coalition.row_counts()
    assert (counts["purchases"], counts["entry_references"]) == (1, 1)


def test_a_payment_id_may_hold_any_visible_character(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    payment_id = "2017/03/15#7?a=b+~"
    assert coalition.post("brand:1", "/v1/purchases", purchase_body(payment_id)).status_code == 201
    assert coalition.get("brand:1", f"/v1/purchases/{quote(payment_id, safe='/')}").json()["payment_id"] == payment_id


def test_the_same_payment_with_other_content_is_refused(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    member_id = coalition.shopper().member_id
    coalition.post("brand:1", "/v1/purchases", purchase_body(member_id=member_id))
    with coalition.no_trace():
        answer = coalition.post("brand:1", "/v1/purchases", purchase_body(member_id=member_id, gross_minor=2_600))
        assert (answer.status_code, answer.json()["code"]) == (409, "reference_reused")


def test_two_brands_may_use_the_same_payment_id(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    coalition.brand(2)
    member_id = coalition.shopper().member_id
    answers = [coalition.post(f"brand:{brand}", "/v1/purchases", purchase_body(member_id=member_id)) for brand in (1, 2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["reference"] != answers[1].json()["reference"]


def test_a_payment_that_stands_on_a_rebuilt_ledger_earns_no_second_time(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    body = purchase_body(member_id=coalition.shopper().member_id)
    coalition.post("brand:1", "/v1/purchases", body)
    with coalition.database.write() as session:
        for table in ("purchase_lines", "awards", "purchases", "idempotent_requests", "operations"):
            session.connection().exec_driver_sql(f"DELETE FROM {table}")
        session.connection().exec_driver_sql("UPDATE entry_references SET operation_id = NULL")
    with coalition.no_trace():
        answer = coalition.post("brand:1", "/v1/purchases", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "reference_reused")


def test_a_caller_that_waits_gets_201_once_the_issue_is_on_the_ledger(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    body = purchase_body(member_id=coalition.shopper().member_id)
    operation_id = coalition.post("brand:1", "/v1/purchases", body, Idempotency_Key="till-7").json()["operation"]["operation_id"]
    assert coalition.post("brand:1", "/v1/purchases", body, Idempotency_Key="till-7").status_code == 202
    coalition.finish(operation_id)
    again = coalition.post("brand:1", "/v1/purchases", body, Idempotency_Key="till-7", Prefer="wait=5")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert again.json()["operation"]["status"] == "confirmed"


def test_an_operation_that_ended_refused_is_told_as_a_problem(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    body = purchase_body(member_id=coalition.shopper().member_id)
    operation_id = coalition.post("brand:1", "/v1/purchases", body).json()["operation"]["operation_id"]
    coalition.finish(operation_id, "refused", "LimitExceeded")
    answer = coalition.post("brand:1", "/v1/purchases", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "operation_refused")
    assert answer.json()["facts"] == {"operation_id": operation_id, "reason": "LimitExceeded"}
