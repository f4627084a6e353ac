"""The agent is killed at each step of its outbox; what it acknowledged reaches the gateway once, and nothing is made of it twice."""

from __future__ import annotations

import http.server
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import sleep

import httpx
import pytest

from tests.depth import in_a_soak
from tests.gateway.brand_agent.conftest import Shop

KILLS = in_a_soak(20, 2)


@pytest.mark.parametrize("step", ["journaled", "sent", "answered", "marked"])
def test_killed_at_a_step_nothing_is_lost_or_doubled(shop: Shop, step: str) -> None:
    told: list[str] = []
    for life in range(KILLS):
        with _between(shop, step):
            ids = [f"{step}-{life}-{number}" for number in range(5)]
            with shop.agent.till() as till:
                for each in ids:
                    try:
                        if till.post("/v1/purchases", json=shop.sale(each)).status_code == 202:
                            told.append(each)
                    except httpx.HTTPError:
                        break
                if step in ("journaled", "marked"):
                    _await_state(till, step, told[-1])
                    shop.agent.kill()
            _await_dead(shop)
        shop.agent.start()
    assert len(told) >= KILLS
    ended = shop.ended(*[f"/v1/purchases/{each}" for each in told])
    assert {one["outcome"] for one in ended} == {"confirmed"}
    issues = Counter(row.reference for row in shop.gateway.operations("issue"))
    assert set(issues.values()) == {1}
    made = {row.operation_id for row in shop.gateway.operations("issue")}
    assert {one["operation_id"] for one in ended} <= made


def _await_state(till: httpx.Client, step: str, payment_id: str) -> None:
    """`marked`: the gateway's answer is on disk. `journaled`: the till has been answered, which is now."""
    for _ in range(600):
        if step == "journaled" or till.get(f"/v1/purchases/{payment_id}").json()["state"] == "answered":
            return
        sleep(0.01)
    raise AssertionError(payment_id)


def _await_dead(shop: Shop) -> None:
    for _ in range(600):
        if shop.agent.process is None:
            return
        sleep(0.01)
    raise AssertionError("the agent was not killed")


@contextmanager
def _between(shop: Shop, step: str) -> Iterator[None]:
    """At `sent` and `answered` something stands between agent and gateway, and kills the agent: before the gateway has the request, or
    once it has answered and before the agent hears of it. At `journaled` the gateway is away."""
    shop.gateway.stop()
    if step == "marked":
        shop.gateway.start()
        yield
        return
    if step == "journaled":
        yield
        shop.gateway.start()
        return
    place, shop.gateway.port = shop.gateway.port, shop.gateway.port + 1
    shop.gateway.start()
    with _proxy(place, shop.gateway.url, step, shop.agent.kill):
        yield
    shop.gateway.stop()
    shop.gateway.port = place
    shop.gateway.start()


@contextmanager
def _proxy(port: int, url: str, step: str, kill: Callable[[], None]) -> Iterator[None]:
    lock = threading.Lock()

    class Between(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if step == "answered":
                sent = {name: self.headers[name] for name in ("Authorization", "Idempotency-Key", "Content-Type")}
                assert httpx.post(url + self.path, content=content, headers=sent, trust_env=False).status_code in (201, 202)
            with lock:
                kill()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Between)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
