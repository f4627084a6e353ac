"""What an agent takes of whoever connects has bounds, and nobody is served worse for who goes beyond them."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.builders.served_gateway import largest_status, one_connection, status_on
from tests.gateway.brand_agent.conftest import Shop


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"[" * 5_000 + b"]" * 5_000, 400, "malformed_json"),
        (b"[" + b"[]," * 50_000 + b"[]]", 422, "invalid"),
        (b'{"payment_id": 1e999}', 422, "invalid"),
        (b'{"payment_id": "\\ud800"}', 400, "malformed_json"),
        (b" " * (256 * 1024 + 1), 413, "too_large"),
    ],
)
def test_a_body_beyond_the_bounds_is_refused(shop: Shop, body: bytes, status: int, code: str) -> None:
    with shop.agent.till() as till:
        answer = till.post("/v1/purchases", content=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert till.get("/v1/status").status_code == 200


def test_headers_have_a_bound_before_anybody_is_asked_for_a_token(shop: Shop) -> None:
    with shop.agent.till(token="nobody") as stranger:
        assert stranger.post("/v1/purchases", headers={"X-Large": "a" * 40_000}).json()["code"] == "headers_too_large"
    with socket.create_connection(("127.0.0.1", shop.agent.port), timeout=10) as endless:
        endless.sendall(b"GET /v1/status HTTP/1.1\r\n" + b"X-More: and more\r\n" * 3_000)
        assert endless.recv(1_000).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("line", ["POST /v1/purchases", "POST /v1/evidence", "POST /sign-batch", "POST /nowhere", "PUT /v1/status"])
def test_who_is_refused_before_the_body_sends_none(shop: Shop, line: str) -> None:
    """Neither a body without end nor trailers behind it; the answer says that the connection ends."""
    assert shop.agent.process is not None
    before = largest_status(shop.agent.process.pid, "VmRSS")
    with connected(shop) as refused:
        refused.sendall(f"{line} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        assert b"\r\nconnection: close\r\n" in refused.recv(4_096)
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            refused.sendall((b"100000\r\n" + b" " * 2**20 + b"\r\n") * 32)
    assert largest_status(shop.agent.process.pid, "VmRSS") - before < 20 * 1024


def test_who_connects_and_says_nothing_gives_way_to_a_till(shop: Shop) -> None:
    silent = [socket.create_connection(("127.0.0.1", shop.agent.port), timeout=10) for _ in range(540)]
    try:
        with shop.agent.till() as till:
            assert till.post("/v1/purchases", json=shop.sale("crowded-1")).status_code == 202
    finally:
        for each in silent:
            each.close()


def test_a_tills_connection_outlasts_the_silent(shop: Shop) -> None:
    token = {"Authorization": f"Bearer {shop.agent.tokens['till-1']}"}
    with ExitStack() as opened, one_connection(f"http://127.0.0.1:{shop.agent.port}") as kept:
        assert status_on(kept, "/v1/status", token) == 200
        for _ in range(540):
            opened.enter_context(connected(shop))
        with shop.agent.till() as newcomer:
            assert newcomer.get("/v1/status").status_code == 200
        assert status_on(kept, "/v1/status", token) == 200


def test_requests_behind_a_request_cost_nothing_and_hold_no_sale_up(shop: Shop) -> None:
    assert shop.agent.process is not None
    pid = shop.agent.process.pid
    before = largest_status(pid, "VmRSS")
    with ExitStack() as opened, shop.agent.till() as till:
        for _ in range(12):
            sent = opened.enter_context(connected(shop))
            sent.settimeout(0.5)
            with suppress(OSError):
                sent.sendall(b"GET / HTTP/1.1\r\n\r\n" * 14_000)
        assert till.post("/v1/purchases", json=shop.sale("behind-1")).status_code == 202
    assert largest_status(pid, "VmRSS") - before < 40 * 1024


def test_where_all_connections_are_at_work_a_newcomer_is_told_when_to_come_back(shop: Shop) -> None:
    with ExitStack() as opened:
        for _ in range(512):
            working = opened.enter_context(connected(shop))
            token = shop.agent.tokens["till-1"]
            head = f"POST /v1/purchases HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 9\r\n\r\n"
            working.sendall(head.encode())
        refused = opened.enter_context(connected(shop)).recv(4_096)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 2\r\n" in refused


def connected(shop: Shop) -> socket.socket:
    return socket.create_connection(("127.0.0.1", shop.agent.port), timeout=10)


def test_what_an_agent_keeps_is_its_owners_alone(shop: Shop) -> None:
    open_to_others = [path.name for path in _files(shop.agent.folder) if path.stat().st_mode & 0o077]
    assert open_to_others == []


def _files(folder: Path) -> list[Path]:
    """Settings, and what the test itself logs of the process, hold no secret."""
    return [path for path in folder.iterdir() if path.name not in ("agent.json", "agent.log")]
