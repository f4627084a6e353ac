"""With the gateway away, discounts up to the floor limit are the brand's own: given once, counted, and taken from nobody's points."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.brand_agent.config import load_agent_config
from gateway.brand_signer.config import BadConfig
from gateway.values.calendar import moment, wall_clock
from tests.builders.agents import AgentBuilder, ServedGateway, agent_settings
from tests.builders.offline_coalition import OfflineCoalition
from tests.gateway.brand_agent.conftest import Shop
from tests.gateway.brand_agent.test_redemptions import _silent


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The gateway is away; 500 a redemption, 1,200 a day."""
    folder = tmp_path_factory.mktemp("floor")
    coalition = OfflineCoalition(folder)
    coalition.brand(1)
    gateway, agent = ServedGateway(coalition), AgentBuilder(folder / "agent")
    limits = {"floor_limit_minor": 500, "floor_limit_day_minor": 1_200}
    agent.prepare(gateway.url, coalition.tokens["brand:1"], agent=agent_settings(0, gateway.url)["agent"] | limits)
    agent.start()
    try:
        yield Shop(gateway, agent, coalition.shopper())
    finally:
        agent.kill()
        gateway.stop()
        coalition.close()


@pytest.fixture
def away(opened: Shop) -> Shop:
    """With a day of which nothing is used."""
    opened.gateway.stop()
    opened.agent.kill()
    with closing(sqlite3.connect(opened.agent.folder / "agent.sqlite")) as journal:
        journal.execute("UPDATE own_discounts SET day = '2000-01-01'")
        journal.commit()
    opened.agent.start()
    return opened


def order(shop: Shop, order_id: str, discount_minor: int) -> dict[str, Any]:
    what = {"order_id": order_id, "member_id": shop.member.member_id, "points": discount_minor, "discount_minor": discount_minor}
    return {**what, "deadline": 2_000_000_000}


def test_a_discount_within_the_limit_is_given_once_and_no_points_follow(away: Shop) -> None:
    asked = order(away, "own-1", 400)
    with away.agent.till() as till:
        given = till.post("/v1/authorizations", json=asked, headers={"Till-Cashier": "ann"})
        assert (given.status_code, given.json()["outcome"], given.json()["discount_minor"]) == (200, "own_discount", 400)
        away.gateway.start()
        again = till.post("/v1/authorizations", json=asked)
        assert (again.status_code, again.json(), again.headers["Idempotent-Replayed"]) == (200, given.json(), "true")
        assert till.post("/v1/authorizations", json=asked | {"points": 401}).json()["code"] == "reference_reused"
        assert till.post("/v1/redemptions", json=asked).json()["code"] == "reference_reused"
        assert till.post("/v1/orders/own-1/cancel", json={"void_id": "v"}).json()["code"] == "own_discount_given"
    with closing(sqlite3.connect(away.agent.folder / "agent.sqlite")) as journal:
        assert journal.execute("SELECT till, cashier, discount_minor FROM own_discounts WHERE order_id = 'own-1'").fetchall() == [
            ("till-1", "ann", 400)
        ]
        [reservation_id] = journal.execute("SELECT reservation_id FROM orders WHERE order_id = 'own-1'").fetchone()
        voids = journal.execute("SELECT line FROM records WHERE type = 'void'").fetchall()
        assert [json.loads(line)["order_id"] for (line,) in voids if "own-1" in line] == ["own-1"]  # so that nothing is signed for it
    with away.agent.till() as till:
        captured = till.post(f"/v1/authorizations/{reservation_id}/capture", json={"capture_id": "c", "points": 1})
        assert (captured.status_code, captured.json()["code"]) == (409, "own_discount_given")
    assert away.gateway.operations("authorize") == []


def test_above_the_limits_the_gateway_is_away_and_the_till_is_told_why(away: Shop) -> None:
    with away.agent.till() as till:
        over = till.post("/v1/redemptions", json=order(away, "over", 501))
        assert (over.status_code, over.json()["code"], over.json()["facts"]["own_discount"]) == (503, "gateway_away", "over_floor_limit")
        for number, discount_minor in enumerate((500, 500, 200)):
            assert till.post("/v1/redemptions", json=order(away, f"day-{number}", discount_minor)).status_code == 200
        used = till.post("/v1/redemptions", json=order(away, "day-3", 1))
        assert (used.status_code, used.json()["facts"]["own_discount"]) == (503, "day_limit_used")
        closed = till.post("/v1/day-close", json={"day": moment(wall_clock())[:10], "count": 0, "gross_minor": 0})
        assert closed.json()["own_discounts"] == {"count": 3, "discount_minor": 1_200}
        assert till.get("/v1/status").json()["own_discounts"]["count"] >= 3
        assert "agent_own_discount_minor_total " in till.get("/metrics").text


def test_an_order_of_which_the_gateway_may_have_heard_gets_none(away: Shop) -> None:
    asked = order(away, "heard", 100)
    with away.agent.till() as till:
        with _silent(away.gateway.port):
            assert till.post("/v1/authorizations", json=asked).json()["code"] == "unknown"
        answer = till.post("/v1/authorizations", json=asked)
        assert (answer.status_code, answer.json()["facts"]["own_discount"]) == (503, "maybe_asked")


def test_two_that_ask_at_once_are_given_one_discount_at_most(away: Shop) -> None:
    def ask(_: int) -> tuple[int, str]:
        with away.agent.till() as till:
            answer = till.post("/v1/authorizations", json=order(away, "at-once", 100))
            return answer.status_code, answer.json().get("outcome", answer.json().get("facts", {}).get("own_discount"))

    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(ask, range(8)))
    assert answers <= {(200, "own_discount"), (503, "maybe_asked")}
    with closing(sqlite3.connect(away.agent.folder / "agent.sqlite")) as journal:
        assert journal.execute("SELECT count(*) FROM own_discounts WHERE order_id = 'at-once'").fetchone()[0] <= 1


def test_limits_that_cannot_be_are_named(tmp_path: Path) -> None:
    settings = agent_settings(0, "http://127.0.0.1:1")
    for limits in ({"floor_limit_minor": 5}, {"floor_limit_day_minor": 5}, {"floor_limit_minor": 9, "floor_limit_day_minor": 5}):
        (tmp_path / "agent.json").write_text(json.dumps(settings | {"agent": settings["agent"] | limits}))
        with pytest.raises(BadConfig, match="go together"):
            load_agent_config(tmp_path / "agent.json")
    limits = {"floor_limit_minor": 5, "floor_limit_day_minor": 9}
    settings["programme"]["redemption"] = {"minor": 4, "points": 5}
    (tmp_path / "agent.json").write_text(json.dumps(settings | {"agent": settings["agent"] | limits}))
    limit = load_agent_config(tmp_path / "agent.json").floor_limit
    assert limit is not None
    assert limit.redemption is not None
    assert limit.redemption.minor_for(5) == 4  # the brand's own price, whatever the till says
