"""Fair shares: who stays below capacity ÷ active callers is never refused and never waits behind who does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from gateway.api.door.shares import Lane, Pace, Turn
from gateway.api.limits import BULK, FILES, ORDINARY, SMALL_BULK, DoorSettings, bounds_for
from gateway.app import create_app
from gateway.values.errors import Overloaded, TooManyRequests
from tests.builders.offline_coalition import OfflineCoalition, purchase_body


def test_one_caller_may_use_the_whole_rate_and_nobody_below_the_share_is_refused() -> None:
    pace = Pace(100)
    for _ in range(100):
        pace.take("greedy", 7.0)
    with pytest.raises(TooManyRequests):
        pace.take("greedy", 7.1)
    for _ in range(50):
        pace.take("modest", 7.2)
    with pytest.raises(TooManyRequests):
        pace.take("modest", 7.3)
    assert pace.take("greedy", 8.0).share == 50  # the modest one was active in the second before
    assert pace.take("greedy", 20.0).share == 100


def test_the_share_of_places_is_what_there_is_divided_by_who_is_active() -> None:
    lane = Lane(4, 10)
    greedy = [lane.place("greedy") for _ in range(10)]
    for place in greedy:
        place.__enter__()
    with pytest.raises(TooManyRequests), lane.place("greedy"):
        pass
    modest = [lane.place("modest") for _ in range(5)]
    for place in modest:
        place.__enter__()
    with pytest.raises(TooManyRequests), lane.place("modest"):
        pass
    for place in greedy:
        place.__exit__(None, None, None)
    with lane.place("modest"):
        pass


def test_a_newcomer_finds_a_turn_and_turns_go_round() -> None:
    async def scene() -> list[str]:
        lane = Lane(4, 100)
        order: list[str] = []
        greedy = [Turn(lane, "greedy", 5) for _ in range(6)]
        taking = [asyncio.create_task(turn.take()) for turn in greedy]
        await asyncio.sleep(0)
        assert [one.done() for one in taking] == [True, True, False, False, False, False]
        modest = Turn(lane, "modest", 5)
        await asyncio.wait_for(modest.take(), 1)  # before four who came earlier
        order.append("modest")
        for turn in (modest, *greedy):
            turn.give_back()
            await asyncio.sleep(0)
        assert all(one.done() for one in taking)
        return order

    assert asyncio.run(scene()) == ["modest"]


def test_small_bulk_writes_wait_for_no_large_ones_and_what_does_not_say_its_size_is_large() -> None:
    for path in ("/v1/purchases/bulk", "/v1/captures/bulk"):
        assert bounds_for(path, 2_000) is bounds_for(path, 64 * 1024) is SMALL_BULK
        assert bounds_for(path, 64 * 1024 + 1) is bounds_for(path, None) is BULK
    assert bounds_for("/v1/purchases", None) is bounds_for("/v1/purchases", 2**60) is ORDINARY
    assert bounds_for("/v1/payment-files", 1) is FILES


def test_a_turn_that_does_not_come_is_refused_and_leaves_nothing_behind() -> None:
    async def scene() -> None:
        lane = Lane(1, 100)
        first, second = Turn(lane, "a", 5), Turn(lane, "b", 0.01)
        await first.take()
        with pytest.raises(Overloaded):
            await second.take()
        first.give_back()
        await asyncio.wait_for(Turn(lane, "b", 5).take(), 1)

    asyncio.run(scene())


@pytest.fixture
def coalition(tmp_path: Path) -> OfflineCoalition:
    return OfflineCoalition(tmp_path)


def test_every_answer_tells_the_share_and_a_refusal_when_to_come_back(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    key = {"Authorization": f"Bearer {coalition.tokens['brand:1']}"}
    with TestClient(create_app(coalition.context, DoorSettings(requests_per_second=1)), base_url="http://localhost") as client:
        answers = [client.get("/v1/brands", headers=key) for _ in range(8)]
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert answers[0].headers["RateLimit-Policy"] == '"share";q=1;w=1'
        assert answers[0].headers["RateLimit"] == '"share";r=0;t=1'
        assert (refused.json()["code"], refused.headers["Retry-After"]) == ("too_many_requests", "1")
        assert client.get("/healthz").status_code == 200


def test_above_the_backlog_a_brand_with_its_share_of_it_is_asked_to_come_back(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    coalition.brand(2)
    member_id = coalition.shopper().member_id
    for number in range(4):
        assert coalition.post("brand:1", "/v1/purchases", purchase_body(f"p-{number}", member_id=member_id)).status_code == 202
    with TestClient(create_app(coalition.context, DoorSettings(backlog=4)), base_url="http://localhost") as client:

        def buys(brand: str) -> tuple[int, str | None]:
            headers = {"Authorization": f"Bearer {coalition.tokens[brand]}", "Idempotency-Key": "over"}
            answer = client.post("/v1/purchases", json=purchase_body("p-over", member_id=member_id), headers=headers)
            return answer.status_code, answer.headers.get("Retry-After")

        assert buys("brand:1") == (503, "2")
        assert buys("brand:2") == (202, None)
        read = client.get("/v1/operations", headers={"Authorization": f"Bearer {coalition.tokens['brand:1']}"})
        assert read.status_code == 200
