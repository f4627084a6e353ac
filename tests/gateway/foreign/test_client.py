"""The client for everything foreign: it connects to the address it judged, keeps connections, and ends at once when it is closed."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any

import pytest

from gateway.foreign.addresses import AddressPolicy
from gateway.foreign.client import ForeignClient, NoAnswer, NotConnected
from tests.gateway.hostile.hostile_signer import hangs, hostile, says

LOOPBACK = AddressPolicy(loopback=True)


def client_of(addresses: AddressPolicy | None = LOOPBACK, seconds: float = 5.0) -> ForeignClient:
    return ForeignClient(seconds=seconds, bytes_max=100_000, addresses=addresses)


class Resolver:
    """Answers for `signer.example`, each time the next of its addresses."""

    def __init__(self, *addresses: str) -> None:
        self.asked = 0
        self._addresses = addresses
        self._real = socket.getaddrinfo

    def __call__(self, host: Any, port: Any, **options: Any) -> Any:
        if host != "signer.example":
            return self._real(host, port, **options)
        self.asked += 1
        return self._real(self._addresses[min(self.asked, len(self._addresses)) - 1], port, **options)


def test_a_name_is_resolved_once_and_its_address_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    with hostile(says({})) as signer:
        url = signer.url.replace("127.0.0.1", "signer.example")
        resolver = Resolver("127.0.0.1", "169.254.169.254")
        monkeypatch.setattr(socket, "getaddrinfo", resolver)
        assert client_of().ask("POST", url, {}, b"{}").status == 200
        assert resolver.asked == 1
        with pytest.raises(NotConnected, match="link-local"):
            client_of().ask("POST", url, {}, b"{}")
        assert len(signer.asked_at) == 1


@pytest.mark.parametrize("text", ["localhost", "127.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "127.0.0.1."])
def test_however_this_machine_is_written_a_gateway_outside_a_sandbox_does_not_connect(text: str) -> None:
    with hostile(says({})) as signer:
        with pytest.raises(NotConnected):
            client_of(AddressPolicy()).ask("POST", signer.url.replace("127.0.0.1", text), {}, b"{}")
        assert not signer.asked_at


def test_a_resolver_that_hangs_takes_no_longer_than_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait() and [])
    began = monotonic()
    with pytest.raises(NotConnected, match="its time is over"):
        client_of(seconds=0.3).ask("GET", "http://signer.example", {})
    assert monotonic() - began < 2
    over.set()


def test_closing_breaks_off_what_is_under_way_and_the_next_question_begins_anew() -> None:
    client, ends = client_of(seconds=30.0), list[BaseException]()

    def ask(url: str) -> None:
        try:
            client.ask("POST", url, {}, b"{}")
        except NoAnswer as end:
            ends.append(end)

    with hostile(hangs) as silent, hostile(says({})) as honest:
        threads = [threading.Thread(target=ask, args=(silent.url,)) for _ in range(3)]
        for each in threads:
            each.start()
        while len(silent.asked_at) < 3:
            threading.Event().wait(0.01)
        began = monotonic()
        client.close()
        for each in threads:
            each.join(5)
        assert len(ends) == 3
        assert monotonic() - began < 1
        assert client.ask("POST", honest.url, {}, b"{}").status == 200
    client.close()


def test_connections_are_kept_and_credentials_in_a_url_go_nowhere() -> None:
    with serving() as (url, seen):
        client = client_of(AddressPolicy((ipaddress.ip_network("10.0.0.0/8"),), loopback=True))
        for _ in range(3):
            assert client.ask("GET", f"{url.replace('//', '//ann:s3cret@')}/healthz?a=b", {"Authorization": "Bearer x"}).content == b"{}"
        client.close()
    assert len({port for port, _, _ in seen}) == 1
    assert {path for _, path, _ in seen} == {"/healthz?a=b"}
    for _, _, headers in seen:
        assert (headers["authorization"], headers["accept-encoding"]) == ("Bearer x", "identity")
        assert headers["host"] == url.removeprefix("http://")


@contextmanager
def serving() -> Iterator[tuple[str, list[tuple[int, str, dict[str, str]]]]]:
    """What was seen of each question: the connection's port, the path and the headers."""
    seen: list[tuple[int, str, dict[str, str]]] = []

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.append((self.client_address[1], self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
