"""An agent whose gateway_url leads elsewhere ends nothing by what it is told there, says so, and goes on once it is corrected."""

from __future__ import annotations

import http.server
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from time import sleep
from typing import Any

import httpx
import pytest

from gateway.brand_agent.gateway_client import PROBLEM, ForwardingClient, GatewayAnswer, NotTheGateway
from gateway.ledger.signing import Domain
from gateway.values.ids import Address, Hash
from tests.builders.agents import CHAIN_ID
from tests.builders.offline_coalition import COALITION_ID, POINTS_ADDRESS
from tests.gateway.brand_agent.conftest import Shop

HTML = 404, "text/html", b"<html>nothing here</html>"
OWN = {"type": f"{PROBLEM}wrong_state", "status": 409, "code": "wrong_state", "detail": "the payment is settled"}


@pytest.mark.parametrize("place", ["under /v1", "a page", "a node", "all is well"])
def test_what_another_server_says_ends_nothing(shop: Shop, place: str) -> None:
    name = place.replace(" ", "-").replace("/", "")
    with shop.agent.till() as till:
        till.post("/v1/purchases", json=shop.sale(f"before-{name}"))
        before = shop.ended(f"/v1/purchases/before-{name}")[0]
    elsewhere = {
        "a page": HTML,
        "a node": (405, "application/json", b'{"jsonrpc": "2.0", "error": {"code": -32601, "message": "no such method"}}'),
        "all is well": (200, "application/json", b'{"status": "ok"}'),
    }
    with _answering(*elsewhere.get(place, HTML)) as other:
        _moved(shop, shop.gateway.url + "/v1" if place == "under /v1" else other)
        with shop.agent.till() as till:
            till.post("/v1/purchases", json=shop.sale(f"lost-{name}"))
            till.post("/v1/payment-refunds", json=shop.refund(f"back-{name}", f"before-{name}", 100))
            status = _with_alarm(till, "gateway_other")
            assert status["gateway"] == "away"
            assert "agent.gateway_url" in status["last_error"]
            assert "agent_gateway_other 1" in till.get("/metrics").text.splitlines()
            sleep(2.5)
            assert till.get(f"/v1/purchases/lost-{name}").json()["state"] in ("journaled", "sent")
            assert till.get(f"/v1/payment-refunds/back-{name}").json()["state"] in ("journaled", "sent")
            assert till.get(f"/v1/purchases/before-{name}").json() == before
            quote = till.post("/v1/quotes", json={"order_id": "o", "member_id": shop.member.member_id, "points": 1})
            assert quote.json()["code"] == "gateway_away"
    _moved(shop, shop.gateway.url)
    assert [one["outcome"] for one in shop.ended(f"/v1/purchases/lost-{name}", f"/v1/payment-refunds/back-{name}")] == ["confirmed"] * 2
    with shop.agent.till() as till:
        status = till.get("/v1/status").json()
        assert (status["gateway"], status["told_again"]) == ("there", 0)


def test_what_something_between_refuses_waits_and_delays_nothing_else(shop: Shop) -> None:
    """The gateway is there; something before it does not let one request through."""
    gateway = shop.gateway.url

    def refuses(path: str, content: bytes) -> bool:
        return b"blocked" in content

    with _answering(*HTML, gateway=gateway, refuses=refuses) as between:
        _moved(shop, between)
        with shop.agent.till() as till:
            till.post("/v1/purchases", json=shop.sale("blocked-1"))
            till.post("/v1/purchases", json=shop.sale("passes-1"))
            assert shop.ended("/v1/purchases/passes-1")[0]["outcome"] == "confirmed"
            told = till.get("/v1/purchases/blocked-1").json()
            assert told["state"] in ("journaled", "sent")
            assert "agent.gateway_url" in told["reason"]
    _moved(shop, gateway)
    assert shop.ended("/v1/purchases/blocked-1")[0]["outcome"] == "confirmed"


def test_the_gateway_of_another_coalition_is_told_nothing(shop: Shop) -> None:
    own = Domain(CHAIN_ID, Address.parse(POINTS_ADDRESS), Hash.parse(COALITION_ID))
    key = shop.gateway.coalition.tokens["brand:1"]
    with closing(ForwardingClient(shop.gateway.url, lambda: key, own)) as client:
        client.greet()
    for other, named in ((replace(own, chain_id=1), "chain_id"), (replace(own, coalition_id=Hash(b"\x07" * 32)), "coalition_id")):
        refused = pytest.raises(NotTheGateway, match=f"another coalition .{named}.: correct agent.gateway_url")
        with closing(ForwardingClient(shop.gateway.url, lambda: key, other)) as client, refused:
            client.post("/v1/purchases/bulk", b"{}", "k")


@pytest.mark.parametrize(
    ("status", "changes", "is_gateways"),
    [
        (409, {}, True),
        (404, {"code": "not_found", "type": f"{PROBLEM}not_found", "status": 404, "detail": "there is no payment p-1"}, True),
        (404, {"code": "not_found", "type": f"{PROBLEM}not_found", "status": 404, "detail": "Not Found"}, False),
        (404, {"code": "unknown_route", "type": f"{PROBLEM}unknown_route", "status": 404}, False),
        (405, {"code": "method_not_allowed", "type": f"{PROBLEM}method_not_allowed", "status": 405}, False),
        (409, {"type": "about:blank"}, False),
        (409, {"code": None}, False),
        (404, {}, False),
    ],
)
def test_a_gateways_own_problem_is_known_by_its_form(status: int, changes: dict[str, Any], is_gateways: bool) -> None:
    assert GatewayAnswer(status, {**OWN, **changes}).is_gateways is is_gateways


def test_an_idle_agent_sees_within_some_seconds_that_the_gateway_is_gone_and_back(shop: Shop) -> None:
    with shop.agent.till() as till:
        _until(till, lambda told: told["gateway"] == "there" and not any(told["waiting"].values()))
        shop.gateway.stop()
        status = _until(till, lambda told: told["gateway"] == "away", 15)
        assert "gateway_away" in [alarm["code"] for alarm in status["alarms"]]
        shop.gateway.start()
        _until(till, lambda told: told["gateway"] == "there", 15)


def _moved(shop: Shop, gateway_url: str) -> None:
    shop.agent.kill()
    with closing(sqlite3.connect(shop.agent.folder / "agent.sqlite")) as journal, journal:
        journal.execute("UPDATE items SET not_before = 0")  # what was refused on the way waits longer each time
    shop.agent.configure(gateway_url=gateway_url)
    shop.agent.start()


def _with_alarm(till: Any, code: str) -> Mapping[str, Any]:
    return _until(till, lambda told: code in [alarm["code"] for alarm in told["alarms"]])


def _until(till: Any, reached: Any, seconds: float = 20) -> Mapping[str, Any]:
    for _ in range(int(seconds * 10)):
        status: Mapping[str, Any] = till.get("/v1/status").json()
        if reached(status):
            return status
        sleep(0.1)
    raise AssertionError(json.dumps(status))


@contextmanager
def _answering(status: int, media_type: str, content: bytes, gateway: str = "", refuses: Any = None) -> Iterator[str]:
    """A server that gives this answer to all, or (with a gateway behind it) to what it refuses."""
    behind = httpx.Client(base_url=gateway, trust_env=False) if gateway else None

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found = status, media_type, content
            if behind is not None and not refuses(self.path, asked):
                headers = {
                    name: self.headers[name] for name in ("Authorization", "Idempotency-Key", "Content-Type") if name in self.headers
                }
                passed = behind.request(self.command, self.path, content=asked, headers=headers)
                found = passed.status_code, passed.headers["Content-Type"], passed.content
            self.send_response(found[0])
            self.send_header("Content-Type", found[1])
            self.send_header("Content-Length", str(len(found[2])))
            self.end_headers()
            self.wfile.write(found[2])

        def log_message(self, *_: Any) -> None:
            """Nothing of it is printed."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            if behind is not None:
                behind.close()
