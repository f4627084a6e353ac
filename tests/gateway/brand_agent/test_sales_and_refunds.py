"""Tills tell their agent of sales and refunds: promised at once, confirmed later, whether the gateway is there or not."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from time import sleep
from typing import Any

import httpx

from tests.gateway.brand_agent.conftest import WHEN, Shop


def test_a_sale_is_promised_at_once_and_confirmed_later(shop: Shop) -> None:
    with shop.agent.till() as till:
        told = till.post("/v1/purchases", json=shop.sale("s-1", 2_599), headers={"Till-Cashier": "ann"})
        assert told.status_code == 202
        assert (told.json()["points"], told.json()["promise"], told.json()["outcome"]) == (25, "promised", None)
        ended = shop.ended("/v1/purchases/s-1")[0]
        assert (ended["state"], ended["outcome"]) == ("ended", "confirmed")
        again = till.post("/v1/purchases", json=shop.sale("s-1", 2_599))
        assert (again.status_code, again.headers["Idempotent-Replayed"], again.json()) == (202, "true", ended)
    assert _issued(shop, ended["operation_id"]) == 25


def test_a_sale_without_a_member_earns_nothing_and_one_that_cannot_be_is_refused(shop: Shop) -> None:
    with shop.agent.till() as till:
        assert till.post("/v1/purchases", json=shop.sale("n-1", member_id=None)).json()["points"] == 0
        ended = shop.ended("/v1/purchases/n-1")[0]
        assert (ended["outcome"], ended["reason"]) == ("confirmed", "nothing_due")
        for changes, field in (({"gross_minor": 1.5}, "gross_minor"), ({"tax_minor": 1_001}, "tax_minor"), ({"speed": 1}, "speed")):
            answer = till.post("/v1/purchases", json=shop.sale("n-2", **changes))
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
            assert field in answer.json()["detail"]
        both = till.post("/v1/purchases", json=shop.sale("n-2", gross_minor=1.5, speed=1)).json()["detail"]
        assert ("gross_minor: " in both, "speed: " in both) == (True, True)
        assert till.post("/v1/purchases", content=b"{").status_code == 400
        assert till.post("/v1/purchases", json=shop.sale("n-2", brand_id=2)).status_code == 403
        assert till.get("/v1/purchases/n-2").status_code == 404


def test_the_same_id_from_two_tills_at_once_is_one_sale_and_other_content_is_refused(shop: Shop) -> None:
    shop.agent.add_till("till-2")

    def tell(name: str) -> httpx.Response:
        with shop.agent.till(name) as till:
            return till.post("/v1/purchases", json=shop.sale("two-1"))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(tell, ["till-1", "till-2"] * 8))
    assert {answer.status_code for answer in answers} == {202}
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    with shop.agent.till("till-2") as till:
        other = till.post("/v1/purchases", json=shop.sale("two-1", 1_001))
        assert (other.status_code, other.json()["code"]) == (409, "reference_reused")
        ended = shop.ended("/v1/purchases/two-1")[0]
    assert _issued(shop, ended["operation_id"]) == 10


def test_a_refund_told_before_its_sale_has_arrived_follows_it(shop: Shop) -> None:
    shop.gateway.stop()
    with shop.agent.till() as till:
        assert till.post("/v1/purchases", json=shop.sale("r-1", 4_000)).status_code == 202
        assert till.post("/v1/payment-refunds", json=shop.refund("b-1", "r-1", 1_000)).status_code == 202
        assert till.post("/v1/payment-refunds/b-1/failure", json={"occurred_at": "2017-03-15T12:00:00Z"}).status_code == 202
        assert till.post("/v1/payment-refunds/none/failure", json={"occurred_at": "2017-03-15T12:00:00Z"}).status_code == 404
    shop.gateway.start()
    ended = shop.ended("/v1/purchases/r-1", "/v1/payment-refunds/b-1")
    assert [one["outcome"] for one in ended] == ["confirmed", "confirmed"]


def test_tills_go_on_while_the_gateway_is_away_and_the_status_says_so(shop: Shop) -> None:
    shop.gateway.stop()
    with shop.agent.till() as till:
        ids = [f"away-{number}" for number in range(30)]
        assert {till.post("/v1/purchases", json=shop.sale(each)).status_code for each in ids} == {202}
        status = _until(till, lambda told: told["gateway"] == "away")
        assert status["waiting"]["journaled"] + status["waiting"]["sent"] >= 30
        assert "gateway_away" in [alarm["code"] for alarm in status["alarms"]]
        metrics = till.get("/metrics").text
        assert "agent_gateway_away 1" in metrics.splitlines()
    shop.gateway.start()
    assert {one["outcome"] for one in shop.ended(*[f"/v1/purchases/{each}" for each in ids])} == {"confirmed"}
    with shop.agent.till() as till:
        status = _until(till, lambda told: not any(told["waiting"].values()))
        assert (status["gateway"], status["oldest_waiting_seconds"]) == ("there", 0)


def test_what_the_gateway_refuses_ends_with_an_alarm_and_delays_no_other(shop: Shop) -> None:
    with shop.agent.till() as till:
        stranger = shop.sale("bad-1", member_id="0x" + "77" * 20)
        assert till.post("/v1/purchases", json=stranger).status_code == 202
        assert till.post("/v1/purchases", json=shop.sale("good-1")).status_code == 202
        ended = shop.ended("/v1/purchases/bad-1", "/v1/purchases/good-1")
        assert [(one["outcome"], one["reason"]) for one in ended] == [("refused", "not_found"), ("confirmed", None)]
        status = till.get("/v1/status").json()
        why = {"reason": "not_found", "detail": f"there is no member {stranger['member_id']}"}
        assert status["refused_last"][0] == {"kind": "purchase", "id": "bad-1", "till": "till-1", **why}
        assert "items_refused" in [alarm["code"] for alarm in status["alarms"]]


def test_a_day_is_closed_by_count_and_sum(shop: Shop) -> None:
    shop.agent.add_till("till-3")
    with shop.agent.till("till-3") as till:
        for number in range(3):
            till.post("/v1/purchases", json=shop.sale(f"day-{number}", 500, business_date="2017-03-17"))
        wrong = till.post("/v1/day-close", json={"day": "2017-03-17", "count": 4, "gross_minor": 2_000})
        assert (wrong.status_code, wrong.json()["journal"]) == (409, {"count": 3, "gross_minor": 1_500})
        assert "days_differ" in [alarm["code"] for alarm in till.get("/v1/status").json()["alarms"]]
        right = till.post("/v1/day-close", json={"day": "2017-03-17", "count": 3, "gross_minor": 1_500})
        assert (right.status_code, right.json()["agrees"]) == (200, True)
        assert "days_differ" not in [alarm["code"] for alarm in till.get("/v1/status").json()["alarms"]]


def _issued(shop: Shop, operation_id: str) -> int:
    """Points of the operation, which is the only one of its payment."""
    issues = shop.gateway.operations("issue")
    [one] = [row for row in issues if row.operation_id == operation_id]
    assert sum(row.reference == one.reference for row in issues) == 1
    return one.points


def _until(till: httpx.Client, reached: Any) -> dict[str, Any]:
    for _ in range(200):
        status: dict[str, Any] = till.get("/v1/status").json()
        if reached(status):
            return status
        sleep(0.05)
    raise AssertionError(status)


def test_the_api_key_may_come_after_the_agent_and_be_changed_while_it_runs(shop: Shop) -> None:
    key = shop.agent.folder / "gateway_key"
    text = key.read_text()
    shop.agent.kill()
    key.unlink()
    shop.agent.start()
    with shop.agent.till() as till:
        told = till.post("/v1/purchases", json=shop.sale("before-the-key"))
        assert (told.status_code, told.json()["state"]) == (202, "journaled")
        asked = till.post("/v1/quotes", json={})
        assert (asked.status_code, asked.json()["code"]) == (503, "gateway_refuses_key")
        key.touch(0o600)
        key.write_text(text)
    [found] = shop.ended("/v1/purchases/before-the-key")
    assert found["outcome"] == "confirmed"


def test_a_register_line_may_hold_what_only_text_takes_for_an_end_of_line(shop: Shop) -> None:
    shop.agent.kill()
    said = {"type": "sale", "payment_id": "left\u2028right", "member_id": shop.member.member_id, "occurred_at": WHEN["occurred_at"]}
    amounts = {"gross_minor": 100, "tax_minor": 0, "paid_with_points_minor": 0}
    with (shop.agent.folder / "sales.jsonl").open("a", encoding="utf-8") as register:
        register.write(json.dumps(said | amounts, ensure_ascii=False) + "\n")
    shop.agent.start()
    with closing(sqlite3.connect(shop.agent.folder / "agent.sqlite")) as journal:
        assert journal.execute("SELECT count(*) FROM records WHERE id = ?", ("left\u2028right",)).fetchone() == (1,)
