"""Redemptions by way of the agent: asked of the gateway at once or not at all; what follows them is journaled and sent."""

from __future__ import annotations

import http.server
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from typing import Any

import httpx
import pytest

from gateway.brand_agent.tills import Scope, revoke_till
from tests.gateway.brand_agent.conftest import Shop

_orders = itertools.count(1)


@pytest.fixture
def consent(shop: Shop) -> dict[str, Any]:
    coalition = shop.gateway.coalition
    coalition.put_points(shop.member.member_id, 10_000)
    order = next(_orders)
    return coalition.consent(shop.member, 1, 100, f"o-{order}")


def test_an_authorization_is_passed_and_its_capture_and_point_refund_follow(shop: Shop, consent: dict[str, Any]) -> None:
    with shop.agent.till() as till:
        asked = till.post("/v1/authorizations", json=consent)
        assert asked.status_code == 202, asked.text
        reservation_id = asked.json()["authorization"]["reservation_id"]
        assert till.post("/v1/authorizations", json=consent).json()["operation"] == asked.json()["operation"]
        other = till.post("/v1/authorizations", json={**consent, "points": 99})
        assert (other.status_code, other.json()["code"]) == (409, "reference_reused")
        _on_ledger(shop, reservation_id)
        assert till.post(f"/v1/authorizations/{'0x' + '55' * 32}/capture", json={"capture_id": "c", "points": 1}).status_code == 404
        capture_id = f"c-{consent['order_id']}"
        captured = till.post(f"/v1/authorizations/{reservation_id}/capture", json={"capture_id": capture_id, "points": 60})
        assert (captured.status_code, captured.json()["state"]) == (202, "journaled")
        again = till.post(f"/v1/authorizations/{reservation_id}/capture", json={"capture_id": capture_id, "points": 60})
        assert again.headers["Idempotent-Replayed"] == "true"
        late = till.post(f"/v1/authorizations/{reservation_id}/void", json={"void_id": f"v-{capture_id}"})
        assert (late.status_code, late.json()["code"]) == (409, "captured")
        canceled = till.post(f"/v1/orders/{consent['order_id']}/cancel", json={"void_id": f"v-{capture_id}"})
        assert canceled.json()["code"] == "captured"
        back = till.post(f"/v1/authorizations/{reservation_id}/point-refunds", json={"point_refund_id": f"p-{capture_id}", "points": 5})
        assert back.status_code == 202
    assert capture_id in _sent(shop, "capture")


def test_with_the_gateway_away_nothing_is_asked_and_the_till_is_told(shop: Shop, consent: dict[str, Any]) -> None:
    shop.gateway.stop()
    with shop.agent.till() as till:
        for path in ("/v1/authorizations", "/v1/quotes"):
            answer = till.post(path, json=consent)
            assert (answer.status_code, answer.json()["code"], answer.json()["facts"]) == (
                503,
                "gateway_away",
                {"outcome": "nothing_asked"},
            )
        shop.gateway.start()
        assert till.post("/v1/authorizations", json=consent).status_code == 202


def test_an_unknown_outcome_is_asked_again_or_canceled(shop: Shop, consent: dict[str, Any]) -> None:
    shop.gateway.stop()
    with shop.agent.till() as till:
        with _silent(shop.gateway.port):
            answer = till.post("/v1/authorizations", json=consent)
            assert (answer.status_code, answer.json()["code"]) == (504, "unknown")
        shop.gateway.start()
        void_id = f"v-{consent['order_id']}"
        assert till.post("/v1/orders/never-asked/cancel", json={"void_id": void_id}).status_code == 404
        assert till.post(f"/v1/orders/{consent['order_id']}/cancel", json={"void_id": void_id}).status_code == 202
        asked = till.post("/v1/authorizations", json=consent)
        assert (asked.status_code, asked.json()["code"]) == (409, "order_let_go")
    assert void_id not in _sent(shop, "void")  # nothing was authorized, so nothing is let go on the ledger


def test_a_redemption_in_one_step_is_not_canceled(shop: Shop, consent: dict[str, Any]) -> None:
    with shop.agent.till() as till:
        assert till.post("/v1/redemptions", json=consent).status_code == 202
        answer = till.post(f"/v1/orders/{consent['order_id']}/cancel", json={"void_id": "v"})
        assert (answer.status_code, answer.json()["code"]) == (409, "not_in_one_step")
        assert till.post("/v1/authorizations", json=consent).json()["code"] == "reference_reused"


def test_a_token_is_good_for_its_scopes_and_until_it_is_revoked(shop: Shop) -> None:
    name = "narrow"
    shop.agent.add_till(name, Scope.PAYMENT_REFUNDS)
    with shop.agent.till(name) as till:
        assert till.get("/v1/payment-refunds/none").status_code == 404
        for answer in (till.post("/v1/purchases", json={}), till.get("/v1/status"), till.post("/v1/redemptions", json={})):
            assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
        revoke_till(shop.agent.folder / "tills.json", name, 0)
        assert till.get("/v1/payment-refunds/none").status_code == 401
    for token in ("wrong", shop.agent.folder.joinpath("token").read_text().strip()):
        with shop.agent.till(token=token) as till:
            assert till.post("/v1/purchases", json={}).status_code == 401
    with shop.agent.till() as till:
        assert till.post("/sign-batch", json={}).status_code == 401


def test_the_signer_answers_under_its_own_token(shop: Shop) -> None:
    with shop.agent.till(token=(shop.agent.folder / "token").read_text().strip()) as gateway:
        assert gateway.get("/healthz").json()["brand_id"] == 1
        assert gateway.post("/signed-batch", json={"number": 1}).status_code == 404
        assert gateway.post("/sign-batch", json={}).status_code == 400


def _on_ledger(shop: Shop, reservation_id: str) -> None:
    shop.gateway.confirm_all()
    shop.gateway.coalition.put_reservation(reservation_id, shop.member.member_id, 1, 100)


def _sent(shop: Shop, kind: str) -> set[str]:
    """Ids of what the agent made of `kind` at the gateway, once its outbox is empty."""
    with shop.agent.till() as till:
        _until_sent(till)
    return {str(value) for row in shop.gateway.operations(kind) for value in json.loads(row.body).values()}


def _until_sent(till: httpx.Client) -> None:
    for _ in range(600):
        waiting = till.get("/v1/status").json()["waiting"]
        if not waiting["journaled"] + waiting["sent"]:
            return
        sleep(0.05)
    raise AssertionError(waiting)


@contextmanager
def _silent(port: int) -> Iterator[None]:
    """Takes requests on the gateway's port and answers none."""
    ended = threading.Event()

    class Silent(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            ended.wait(20)

        def do_GET(self) -> None:
            ended.wait(20)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Silent)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
