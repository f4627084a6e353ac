"""Attacks on a real gateway's door by sockets, each beside an honest brand that reads. The process stays below 500 MB, and stays."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from gateway.api.limits import BULK_LIMIT, HEAD_BYTES, HEAD_SECONDS, ORDINARY
from tests.builders.offline_coalition import purchase_body
from tests.builders.served_gateway import MEGABYTE, ServedGateway, bearer, one_connection, served_gateway, status_of, status_on


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedGateway]:
    with served_gateway(tmp_path_factory.mktemp("door"), connections_max=200) as served:
        yield served


@pytest.fixture(autouse=True)
def within_bounds(gateway: ServedGateway) -> Iterator[None]:
    """After each attack the gateway is as small as it has to be, and an honest read works."""
    gateway.be_quiet()
    yield
    gateway.check_memory()
    gateway.reads_beside(0)
    gateway.read()


def operations_open(gateway: ServedGateway) -> int:
    return int(httpx.get(f"{gateway.url}/v1/health", headers=bearer(gateway.operator), timeout=30).json()["operations_open"])


def flooded(connection: socket.socket, byte: bytes) -> int:
    """How many megabytes go through; the other side is expected to end the connection long before 64."""
    for sent in range(64):
        try:
            connection.sendall(byte * MEGABYTE)
        except OSError:
            return sent
    return 64


def test_a_body_of_nobody_is_not_buffered(gateway: ServedGateway) -> None:
    before = gateway.status("VmRSS")
    with contextlib.ExitStack() as opened:
        for path in ("/v1/payment-files?layout=a", "/v1/purchases/bulk", "/healthz", "/docs"):
            for head in (f"Content-Length: {64 * MEGABYTE}", "Transfer-Encoding: chunked", "Content-Length: 9" + "9" * 30):
                sent = opened.enter_context(gateway.asked(f"POST {path}\n{head}"))
                assert status_of(sent) in (400, 401)
                assert flooded(sent, b"x") < 64
        gateway.reads_beside(0.5)
    assert gateway.status("VmRSS") - before < 20 * 1024


def test_headers_and_urls_have_a_bound(gateway: ServedGateway) -> None:
    before = gateway.status("VmRSS")
    for begin in (b"GET /", b"GET / HTTP/1.1\r\nHost: ", b"GET / HTTP/1.1\r\n", b"X" * 100):
        with gateway.socket() as sent:
            sent.sendall(begin)
            assert flooded(sent, b"y") < 64
            assert status_of(sent) in (0, 400, 431)
    many = "\n".join(f"X-{number}: y" for number in range(HEAD_BYTES // 6))
    with gateway.asked(f"GET /healthz\n{many}") as sent:
        assert status_of(sent) == 431
    with gateway.asked("GET /healthz\nX-Long: " + "y" * (HEAD_BYTES // 2)) as sent:
        assert status_of(sent) == 200
    assert gateway.status("VmRSS") - before < 20 * 1024


def test_chunks_that_hold_nothing_but_their_own_frame_have_a_bound(gateway: ServedGateway) -> None:
    with gateway.asked("POST /v1/purchases\nTransfer-Encoding: chunked\nContent-Type: application/json", token=gateway.attacker) as sent:
        with contextlib.suppress(OSError):
            for _ in range(100):
                sent.sendall(b"1;" + b"e" * MEGABYTE + b"\r\nx\r\n")
        assert status_of(sent) == 0
    with gateway.asked("POST /v1/purchases\nTransfer-Encoding: chunked\nContent-Type: application/json", token=gateway.attacker) as sent:
        with contextlib.suppress(OSError):
            sent.sendall(b"0\r\n")
            for _ in range(100):
                sent.sendall(b"X-Trailer: " + b"e" * MEGABYTE)
        assert status_of(sent) == 0


@pytest.mark.parametrize("path", ["/v1/payment-files", "/v1/purchases/bulk"])
def test_a_body_earns_no_trailers(gateway: ServedGateway, path: str) -> None:
    """Of a body within its bounds, and of one that is refused: as many bytes again as the body had."""
    before = gateway.status("VmRSS")
    piece, trailers = b"10000\r\n" + b" " * 65_536 + b"\r\n", b"a:b\r\n" * 13_107
    for token in (gateway.attacker, None):
        with gateway.asked(f"POST {path}\nTransfer-Encoding: chunked\nContent-Type: application/json", token=token) as sent:
            sent_trailers = 0
            with contextlib.suppress(OSError):
                for _ in range(7 * MEGABYTE // 65_536):
                    sent.sendall(piece)
                sent.sendall(b"0\r\n")
                while sent_trailers < 8 * MEGABYTE:
                    sent.sendall(trailers)
                    sent_trailers += len(trailers)
            assert sent_trailers < 8 * MEGABYTE
            assert status_of(sent) == (0 if token else 401)
    assert gateway.status("VmRSS") - before < 40 * 1024


def test_slow_clients_are_ended_and_hold_nobody_up(gateway: ServedGateway) -> None:
    """More silent connections than there may be at all: who comes with a request is let in, the oldest of the silent go."""
    began = time.monotonic()
    silent = [gateway.socket() for _ in range(250)]
    slow_heads = [gateway.asked("GET /healthz\nX-Slow: a")] + [gateway.socket() for _ in range(10)]
    for each in slow_heads[1:]:
        each.sendall(b"GET /healthz HTTP/1.1\r\nHost: lo")
    slow_bodies = [
        gateway.asked("POST /v1/purchases\nContent-Length: 1000\nContent-Type: application/json", b"{", gateway.attacker) for _ in range(10)
    ]
    gateway.reads_beside(2)
    for each in slow_bodies:
        each.settimeout(2 * ORDINARY.body_seconds)
        assert status_of(each) == 408
    for each in (*silent, *slow_heads[1:]):
        each.settimeout(2 * HEAD_SECONDS)
        assert status_of(each) == 0
    assert time.monotonic() - began < 4 * HEAD_SECONDS
    for each in (*silent, *slow_heads, *slow_bodies):
        each.close()


@pytest.mark.parametrize("piece", [b"[]", b"[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]", b"{}", b"0", b'"\\u0000"'])
def test_bodies_of_millions_of_nothings_do_not_hold_up_reads(gateway: ServedGateway, piece: bytes) -> None:
    body = b'{"purchases": [' + b",".join([piece] * (BULK_LIMIT // (len(piece) + 1) - 100)) + b"]}"
    assert len(body) < BULK_LIMIT
    stop = threading.Event()
    statuses: list[int] = []

    def attack() -> None:
        with httpx.Client(timeout=60) as client:
            while not stop.is_set():
                headers = {**bearer(gateway.attacker), "Idempotency-Key": "nothings", "Content-Type": "application/json"}
                statuses.append(client.post(f"{gateway.url}/v1/purchases/bulk", content=body, headers=headers).status_code)

    attackers = [threading.Thread(target=attack) for _ in range(3)]
    for each in attackers:
        each.start()
    gateway.reads_beside(2)
    stop.set()
    for each in attackers:
        each.join()
    assert set(statuses) <= {400, 413, 422, 429}
    assert {400, 413, 422} & set(statuses)


def test_callers_that_wait_hold_no_thread_and_nobody_up(gateway: ServedGateway) -> None:
    threads = gateway.status("Threads")
    waiting: list[socket.socket] = []
    for number in range(140):
        body = json.dumps(purchase_body(f"wait-{number}", member_id=gateway.member_id)).encode()
        head = (
            f"POST /v1/purchases\nContent-Type: application/json\nIdempotency-Key: w{number}\nPrefer: wait=60\nContent-Length: {len(body)}"
        )
        waiting.append(gateway.asked(head, body, gateway.attacker))
    gateway.reads_beside(3)
    while operations_open(gateway) < len(waiting):
        gateway.reads_beside(0.2)
    assert gateway.status("Threads") - threads < 60
    began = time.monotonic()
    assert httpx.get(f"{gateway.url}/healthz", timeout=30).json() == {"status": "ok"}
    assert time.monotonic() - began < 2
    for each in waiting:
        each.settimeout(0.01)
        with pytest.raises(TimeoutError):
            each.recv(1)
        each.close()


def test_a_brands_connection_outlasts_the_silent(gateway: ServedGateway) -> None:
    path = f"/v1/members/{gateway.member_id}/points"
    with contextlib.ExitStack() as opened, one_connection(gateway.url) as kept:
        assert status_on(kept, path, bearer(gateway.honest)) == 200
        for _ in range(220):
            opened.enter_context(gateway.socket())
        gateway.read()
        assert status_on(kept, path, bearer(gateway.honest)) == 200


def test_answers_that_nobody_reads_keep_nobody_out(gateway: ServedGateway) -> None:
    """More of them than there may be connections."""
    assert httpx.get(f"{gateway.url}/openapi.json", timeout=60).status_code == 200  # made once, when it is first asked for
    gateway.be_quiet()
    before = gateway.status("VmRSS")
    with contextlib.ExitStack() as opened:
        for _ in range(220):
            sent = opened.enter_context(gateway.unreading_socket())
            sent.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 60)
        assert [httpx.get(f"{gateway.url}/healthz", timeout=30).status_code for _ in range(10)] == [200] * 10
        gateway.reads_beside(1)
    assert gateway.status("VmRSS") - before < 40 * 1024


def test_requests_behind_a_request_cost_nothing(gateway: ServedGateway) -> None:
    """Of each connection one request is served, whatever was written at once."""
    before = gateway.status("VmRSS")
    with contextlib.ExitStack() as opened:
        for _ in range(12):
            sent = opened.enter_context(gateway.unreading_socket())
            with contextlib.suppress(OSError):
                sent.sendall(b"GET / HTTP/1.1\r\n\r\n" * 14_000)
        gateway.reads_beside(1)
    assert gateway.status("VmRSS") - before < 40 * 1024


def test_a_host_that_is_not_the_gateways_is_refused(gateway: ServedGateway) -> None:
    for host, status in (
        ("evil.example", 421),
        ("evil.example:80", 421),
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("[::1]:8", 200),
        ("LOCALHOST:", 200),
        ("localhost:80@evil.example", 421),
        ("localhost:80:80", 421),
        ("localhost/evil.example", 421),
        ("[::1]evil.example", 421),
        ("[::1", 421),
        ("[127.0.0.1]", 421),
        ("[localhost]", 421),
        ("[" + ":" * 30_000, 421),
        ("", 421),
    ):
        answer = httpx.get(f"{gateway.url}/healthz", headers={"Host": host})
        assert answer.status_code == status, host
        if status == 421:
            assert (answer.json()["code"], answer.headers["content-type"]) == ("wrong_host", "application/problem+json")
    for head in (b"GET /healthz HTTP/1.0\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"):
        with gateway.socket() as sent:
            sent.sendall(head)
            assert status_of(sent) == 421


def test_strangers_learn_no_detail(gateway: ServedGateway) -> None:
    assert httpx.get(f"{gateway.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{gateway.url}/readyz").json() == {"status": "ready"}
    assert httpx.get(f"{gateway.url}/v1/health").status_code == 401
    assert httpx.get(f"{gateway.url}/v1/health", headers=bearer(gateway.attacker)).status_code == 403
    assert httpx.get(f"{gateway.url}/v1/health", headers=bearer(gateway.operator)).json()["status"] == "degraded"
