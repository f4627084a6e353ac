"""Refusals tell times as people read them, and on a sandbox whose day it is: its clock is its ledger's, not the wall's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from gateway.coalition.tables import CoalitionRow
from tests.builders.offline_coalition import ACT_OPERATION, START, OfflineCoalition, Shopper, approval_body, purchase_body

TODAY = "2026-11-29T12:00:00+00:00"
EPOCH_SECONDS = re.compile(r"(?<![0-9a-fx])[0-9]{9,13}(?![0-9a-f])")
RESERVATION = "0x" + "e5" * 32
DAY = 86_400


@pytest.fixture
def shopper(coalition: OfflineCoalition) -> Shopper:
    coalition.brand(1)
    made = coalition.shopper()
    coalition.put_points(made.member_id, 100)
    return made


def _set(coalition: OfflineCoalition, **values: Any) -> None:
    with coalition.database.write() as session:
        session.execute(update(CoalitionRow).values(**values))


def _refund(**changes: Any) -> dict[str, Any]:
    money = {"refund_id": "r", "payment_id": "pay-1", "amount_minor": 100}
    return {**money, "occurred_at": "2017-03-15T00:30:00+00:00", "business_date": "2017-03-15", **changes}


def _of_today(coalition: OfflineCoalition) -> Iterator[dict[str, Any]]:
    """The problem details of everything that a till could date by its own clock."""
    purchase = purchase_body("today", occurred_at=TODAY, business_date="2026-11-29")
    refund = _refund(occurred_at=TODAY, business_date="2026-11-29")
    yield coalition.post("brand:1", "/v1/purchases", purchase).json()
    yield coalition.post("brand:1", "/v1/purchases/bulk", {"purchases": [purchase]}).json()["results"][0]["problem"]
    yield coalition.post("brand:1", "/v1/payment-refunds", refund).json()
    yield coalition.post("brand:1", "/v1/payment-refunds/bulk", {"payment_refunds": [refund]}).json()["results"][0]["problem"]
    yield coalition.post("brand:1", "/v1/payment-refunds/kept/failure", {"occurred_at": TODAY}).json()


def test_what_is_dated_today_is_told_the_sandboxs_day(coalition: OfflineCoalition, shopper: Shopper) -> None:
    coalition.post("brand:1", "/v1/purchases", purchase_body())
    coalition.post("brand:1", "/v1/payment-refunds", _refund(refund_id="kept"))
    for found in _of_today(coalition):
        assert found["detail"].startswith(
            "occurred_at is in the future: the sandbox's day is 2017-03-15 (its clock stands at 2017-03-15T00:00:00Z"
        )
        assert found["facts"] == {"field": "occurred_at", "now": "2017-03-15T00:00:00Z"}


def test_the_sandboxs_day_is_the_coalitions_and_goes_on_with_its_blocks(coalition: OfflineCoalition, shopper: Shopper) -> None:
    _set(coalition, utc_offset_seconds=-5 * 3_600)
    assert "the sandbox's day is 2017-03-14 (its clock stands at 2017-03-15T00:00:00Z" in next(_of_today(coalition))["detail"]
    coalition.move_time(START + 18 * DAY)
    assert "the sandbox's day is 2017-04-01 (its clock stands at 2017-04-02T00:00:00Z" in next(_of_today(coalition))["detail"]


def test_a_coalition_that_is_no_sandbox_is_not_called_one(coalition: OfflineCoalition, shopper: Shopper) -> None:
    _set(coalition, sandbox=False)
    for found in _of_today(coalition):
        if "in the future" in found["detail"]:
            assert found["detail"] == "occurred_at is in the future: it is 2017-03-15T00:00:00Z"
    assert next(_of_today(coalition))["facts"]["now"] == "2017-03-15T00:00:00Z"


def test_deadlines_are_told_as_moments_beside_the_sandboxs_day(coalition: OfflineCoalition, shopper: Shopper) -> None:
    coalition.put_pending_act()
    coalition.put_reservation(RESERVATION, shopper.member_id, 1, 50, deadline=START - 1)
    consent = coalition.consent(shopper, 1, 10, "order-1")
    capture = f"/v1/authorizations/{RESERVATION}/capture"
    approvals = f"/v1/governance/acts/{ACT_OPERATION}/approvals"
    asked = (
        (
            "brand:1",
            "/v1/authorizations",
            {**consent, "deadline": START},
            "2017-03-15T00:00:00Z has passed: the sandbox's day is 2017-03-15",
        ),
        (
            "brand:1",
            "/v1/redemptions",
            {**consent, "deadline": START + 8 * DAY},
            "2017-03-23T00:00:00Z is more than 7 days ahead: the sandbox",
        ),
        ("brand:1", "/v1/authorizations", {**consent, "deadline": 2**40 - 1}, "a day after 9999-12-31 is more than 7 days ahead"),
        ("brand:1", capture, {"capture_id": "c", "points": 5}, "deadline 2017-03-14T23:59:59Z has passed, the sandbox's day is 2017-03-15"),
        ("operator", approvals, approval_body(approved_at=START - 1), "approve it at 2017-03-15T00:00:00Z or later, by your own clock"),
        ("operator", approvals, approval_body(good_until=START), "good_until has passed, the sandbox's day is 2017-03-15"),
    )
    for who, path, body, words in asked:
        found = coalition.post(who, path, body).json()
        assert words in found["detail"]
        assert not EPOCH_SECONDS.search(str(found["facts"]) + found["detail"]), found


def test_no_time_of_a_refusal_is_a_number(coalition: OfflineCoalition, shopper: Shopper) -> None:
    coalition.post("brand:1", "/v1/purchases", purchase_body())
    for found in _of_today(coalition):
        assert not EPOCH_SECONDS.search(str(found)), found
