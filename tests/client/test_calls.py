"""How the client calls: what it sends again and what not, how long, and what it makes of answers that no gateway gives."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.builders.client import client_package

JSON, PROBLEM = "application/json", "application/problem+json"
Answering = Callable[[httpx.Request], httpx.Response]


def test_a_write_that_is_told_to_come_again_is_sent_again_with_the_same_key() -> None:
    told = [(429, "1"), (503, "0")]
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) <= len(told):
            status, after = told[len(seen) - 1]
            return _problem(status, "too_many_requests", {"Retry-After": after})
        return _json({"points": 20})

    began = time.monotonic()
    found = _gateway(answer).create_purchase({"payment_id": "é"}, idempotency_key="sale-1", wait=3)
    assert found == {"points": 20}
    assert time.monotonic() - began >= 1
    assert [(one.headers["idempotency-key"], one.headers["prefer"], one.content) for one in seen] == [
        ("sale-1", "wait=3", '{"payment_id": "é"}'.encode())
    ] * 3


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_patience_ends(status: int) -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return _problem(status, "overloaded")

    began = time.monotonic()
    with pytest.raises(client_package().Refused) as refused:
        _gateway(answer, patience_seconds=0.5).get_clearing()
    assert time.monotonic() - began < 2
    assert (refused.value.status, refused.value.code, len(seen) > 1) == (status, "overloaded", True)
    assert "same key" in refused.value.remedy


def test_who_is_told_to_come_later_than_patience_lasts_is_told_at_once() -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return _problem(429, "too_many_requests", {"Retry-After": "90"})

    with pytest.raises(client_package().Refused) as refused:
        _gateway(answer).get_clearing()
    assert (refused.value.retry_after_seconds, len(seen)) == (90, 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500])
def test_what_would_be_refused_again_is_not_sent_again(status: int) -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return _problem(status, "wrong_state", facts={"status": "captured"})

    with pytest.raises(client_package().Refused) as refused:
        _gateway(answer).create_void("0x01", {"void_id": "v"}, idempotency_key="k")
    assert (refused.value.status, refused.value.facts, len(seen)) == (status, {"status": "captured"}, 1)
    assert str(refused.value).startswith(f"{status} wrong_state: as it is ")


def test_nobody_who_listens_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    began = time.monotonic()
    with client_package().Gateway(url, "id.secret", patience_seconds=0.5) as gateway, pytest.raises(client_package().NotReached, match=url):
        gateway.get_clearing()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(200, headers={"Content-Type": "text/html"}, content=b"<h1>Welcome</h1>"), "text/html, where application/json"),
        (httpx.Response(200, content=b"{}"), "nothing, where"),
        (httpx.Response(200, headers={"Content-Type": JSON}, content=b'{"half'), "no JSON"),
        (httpx.Response(200, headers={"Content-Type": JSON}, content=b"[" * 200_000), "no JSON"),
        (httpx.Response(404, headers={"Content-Type": "text/html"}, content=b"no such page"), "404 with text/html"),
        (httpx.Response(404, headers={"Content-Type": PROBLEM}, content=b"[]"), "no object"),
        (httpx.Response(302, headers={"Location": "http://elsewhere.example", "Content-Type": "text/plain"}), "302 with text/plain"),
    ],
)
def test_what_no_gateway_answers_is_named(answer: httpx.Response, words: str) -> None:
    seen = []

    def once(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer

    with pytest.raises(client_package().WrongAnswer, match=words) as wrong:
        _gateway(once).get_clearing()
    assert (wrong.value.status, len(seen)) == (answer.status_code, 1)


@pytest.mark.parametrize("size", [1_000, 1_001])
def test_an_answer_is_read_up_to_its_bound(size: int) -> None:
    gateway = _gateway(lambda _: _json("x" * (size - 2)), answer_bytes_max=1_000)
    if size <= 1_000:
        assert len(gateway.get_clearing()) == size - 2
    else:
        with pytest.raises(client_package().WrongAnswer, match="larger than 1000 bytes"):
            gateway.get_clearing()


def test_an_endless_answer_is_left_at_its_bound_and_a_slow_one_in_time() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with _serving(head, lambda: b"10000\r\n" + b" " * 65_536 + b"\r\n") as url:
        gateway = client_package().Gateway(url, answer_bytes_max=2**20)
        with gateway, pytest.raises(client_package().WrongAnswer, match="larger than"):
            gateway.get_coalition()
    with _serving(head, lambda: time.sleep(0.1) or b"1\r\n \r\n") as url:
        gateway = client_package().Gateway(url, timeout_seconds=0.5, patience_seconds=0)
        began = time.monotonic()
        with gateway, pytest.raises(client_package().NotReached, match="in time"):
            gateway.get_coalition()
        assert time.monotonic() - began < 3


def test_readiness_is_answered_also_where_it_is_not_there() -> None:
    assert _gateway(lambda _: _json({"status": "not_ready"}, 503)).get_readiness() == {"status": "not_ready"}


def test_pages_are_gone_through_and_a_cursor_that_stays_ends_them() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        page = len(asked)
        return _json({"operations": [{"operation_id": f"{page}-{item}"} for item in (1, 2)], "next_cursor": f"c{min(page, 2)}"})

    found = [one["operation_id"] for one in _gateway(answer).iterate_operations(status="refused", limit=2)]
    assert found == ["1-1", "1-2", "2-1", "2-2", "3-1", "3-2"]
    assert asked == [
        {"status": "refused", "limit": "2"},
        {"status": "refused", "limit": "2", "cursor": "c1"},
        {"status": "refused", "limit": "2", "cursor": "c2"},
    ]


def test_parameters_go_out_as_the_gateway_reads_them() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return _json([])

    gateway = _gateway(answer)
    gateway.get_payouts("r/1?", with_remainder=True)
    gateway.get_audit(invariant=[5, 6])
    gateway.create_payment_file(b"\xff,1", layout="mapped:till", idempotency_key="f")
    assert [(one.url.raw_path.decode(), one.headers.get("content-type")) for one in seen] == [
        ("/v1/reconciliations/r%2F1%3F/payouts?with_remainder=true", None),
        ("/v1/audit?invariant=5&invariant=6", None),
        ("/v1/payment-files?layout=mapped%3Atill", "text/csv"),
    ]
    assert seen[2].content == b"\xff,1"


@pytest.mark.parametrize("url", ["gateway.example", "ftp://gateway.example", "http://", "http://gateway.example?key=1", ""])
def test_what_is_no_url_of_a_gateway_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"like https://gateway\.example"):
        client_package().Gateway(url)


def test_keys_that_no_header_holds_are_refused_before_anything_is_sent() -> None:
    gateway = _gateway(lambda _: pytest.fail("sent"))
    for key in ("", "a\r\nX-More: 1", "é", "k" * 129):
        with pytest.raises(ValueError, match="idempotency key"):
            gateway.create_void("0x01", {"void_id": "v"}, idempotency_key=key)
    for part in ("", ".", ".."):
        with pytest.raises(ValueError, match="part of a path"):
            gateway.get_purchase(part)
    with pytest.raises(ValueError, match="API key"):
        client_package().Gateway("http://gateway.example", "two\nlines")


def _gateway(answer: Answering, **given: Any) -> Any:
    client = httpx.Client(transport=httpx.MockTransport(answer))
    return client_package().Gateway("http://gateway.example/", "id.secret", client=client, **given)


def _json(value: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, headers={"Content-Type": JSON}, content=json.dumps(value).encode())


def _problem(status: int, code: str, headers: dict[str, str] | None = None, facts: dict[str, Any] | None = None) -> httpx.Response:
    found = {
        "type": f"urn:splittally:problem:{code}",
        "title": "No",
        "status": status,
        "detail": "as it is",
        "code": code,
        "facts": facts or {},
    }
    return httpx.Response(status, headers={"Content-Type": PROBLEM, **(headers or {})}, content=json.dumps(found).encode())


@contextmanager
def _serving(head: bytes, piece: Callable[[], bytes]) -> Iterator[str]:
    """Who connects gets the head, and pieces until it goes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(head)
                try:
                    while True:
                        connection.sendall(piece())
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)
        assert not thread.is_alive()
