"""A capture that may come too late is told at once, and is an alarm until it is on the ledger. The ledger's time is this machine's here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.builders.offline_coalition import START
from tests.gateway.brand_agent.conftest import Shop, open_shop
from tests.gateway.brand_agent.stores import stored


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The ledger's time is the clock's, and the agent believes it."""
    with open_shop(tmp_path_factory.mktemp("shop"), sandbox=False) as opened:
        yield opened


def reserved(shop: Shop, till: httpx.Client, order_id: str, seconds: int) -> str:
    """The id of a reservation that ends so many seconds from now."""
    coalition = shop.gateway.coalition
    coalition.move_time(int(time.time()))
    coalition.put_points(shop.member.member_id, 10_000, months=12 * (time.gmtime().tm_year + 2 - time.gmtime(START).tm_year))
    lives = coalition.consent(shop.member, 1, 10, "to-know-how-long")["deadline"] - int(time.time())
    coalition.move_time(int(time.time()) + seconds - lives)
    answer = till.post("/v1/authorizations", json=coalition.consent(shop.member, 1, 10, order_id))
    assert answer.status_code in (201, 202), answer.text
    found: str = answer.json()["authorization"]["reservation_id"]
    return found


def capture(till: httpx.Client, reservation_id: str, order_id: str) -> httpx.Response:
    return till.post(f"/v1/authorizations/{reservation_id}/capture", json={"capture_id": f"c-{order_id}", "points": 10})


def alarms(till: httpx.Client) -> dict[str, str]:
    return {one["code"]: one["detail"] for one in till.get("/v1/status").json()["alarms"]}


def warnings(answer: httpx.Response) -> Any:
    assert answer.status_code == 202, answer.text
    return answer.json().get("warnings", [])


def test_one_in_time_is_not_warned_of_and_one_near_its_end_is(shop: Shop) -> None:
    with shop.agent.till() as till:
        soon, later = reserved(shop, till, "soon", 40), reserved(shop, till, "later", 200)
        assert warnings(capture(till, later, "later")) == []
        assert warnings(capture(till, soon, "soon")) == ["may_miss_deadline"]
        assert alarms(till)["captures_late"].startswith("1 captures")


def test_with_the_gateway_away_each_is_warned_of_and_after_its_end_refused(shop: Shop) -> None:
    with shop.agent.till() as till:
        over, later = reserved(shop, till, "over", 2), reserved(shop, till, "much-later", 200)
        shop.gateway.stop()
        try:
            assert till.post("/v1/purchases", json=shop.sale("sees-that-it-is-away")).status_code == 202
            until = time.monotonic() + 30
            while till.get("/v1/status").json()["gateway"] != "away":
                assert time.monotonic() < until
                time.sleep(0.05)
            assert warnings(capture(till, later, "much-later")) == ["may_miss_deadline"]
            time.sleep(3)
            answer = capture(till, over, "over")
            assert (answer.status_code, answer.json()["code"]) == (409, "deadline_passed")
        finally:
            shop.gateway.start()


def test_what_a_store_captured_in_time_is_told_again_after_its_deadline(shop: Shop, tmp_path: Path) -> None:
    """The brand's agent is from a backup, and never heard of it."""
    with stored(shop, tmp_path / "store") as store:
        with store.brands_agent_restored(), store.agent.till() as till:
            reservation = reserved(shop, till, "in-time", 5)
            ends_at = int(time.time()) + 5
            shop.gateway.confirm_all()
            shop.gateway.coalition.put_reservation(reservation, shop.member.member_id, 1, 10, deadline=ends_at + 60)
            assert warnings(capture(till, reservation, "in-time")) == ["may_miss_deadline"]
            assert store.ended("/v1/items/capture/c-in-time")[0]["outcome"] == "confirmed"
        time.sleep(max(0, ends_at + 1 - time.time()))
        with store.agent.till() as till:
            assert till.post("/v1/purchases", json=shop.sale("after-the-backup")).status_code == 202
            store.ended("/v1/purchases/after-the-backup")
            captured = store.ended("/v1/items/capture/c-in-time")[0]
            assert (captured["outcome"], captured["reason"]) == ("confirmed", None)
            assert till.post("/v1/orders/in-time/cancel", json={"void_id": "v"}).json()["code"] == "captured"
        assert store.status(lambda _: True)["told_again"] >= 1
        with shop.agent.till() as till:
            assert till.get("/v1/items/capture/c-in-time").json()["outcome"] == "confirmed"
            assert till.post("/v1/orders/in-time/cancel", json={"void_id": "v"}).json()["code"] == "captured"
    assert len([row for row in shop.gateway.operations("capture") if "c-in-time" in row.body]) == 1
