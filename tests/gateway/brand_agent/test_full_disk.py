"""The agent's disk is full for a while: tills are told so, nothing is lost, and nothing has to be started again."""

from __future__ import annotations

import http.server
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import sleep

import pytest

from tests.gateway.brand_agent.conftest import Shop


@pytest.fixture
def limited(shop: Shop) -> Iterator[Callable[[bool], None]]:
    """Says whether the agent's files may grow: the system refuses each write beyond their first byte."""
    assert shop.agent.process is not None
    pid = shop.agent.process.pid

    def limit(full: bool) -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 if full else resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    try:
        yield limit
    finally:
        limit(False)


def test_a_full_disk_refuses_tills_and_stops_nothing_for_good(shop: Shop, limited: Callable[[bool], None]) -> None:
    shop.gateway.stop()
    with shop.agent.till() as till:
        assert till.post("/v1/purchases", json=shop.sale("disk-1")).status_code == 202
        limited(True)
        told = till.post("/v1/purchases", json=shop.sale("disk-2"))
        assert (told.status_code, told.json()["code"]) == (503, "journal_unwritable")
        shop.gateway.start()
        sleep(1)
        limited(False)
        assert till.post("/v1/purchases", json=shop.sale("disk-2")).status_code == 202
    assert [one["outcome"] for one in shop.ended("/v1/purchases/disk-1", "/v1/purchases/disk-2")] == ["confirmed", "confirmed"]


def test_what_the_gateway_answers_while_the_disk_is_full_is_kept_once_it_is_not(shop: Shop, limited: Callable[[bool], None]) -> None:
    shop.gateway.stop()
    with _answering_with_trouble(shop.gateway.port, lambda: limited(True)) as asked, shop.agent.till() as till:
        assert till.post("/v1/purchases", json=shop.sale("disk-3")).status_code == 202
        assert asked.wait(30)
        sleep(1)
    shop.gateway.start()
    limited(False)
    assert shop.ended("/v1/purchases/disk-3")[0]["outcome"] == "confirmed"


@contextmanager
def _answering_with_trouble(port: int, before: Callable[[], None]) -> Iterator[threading.Event]:
    """In the gateway's place: does `before`, then answers that it has a fault."""
    asked = threading.Event()

    class Troubled(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # whether it knows its newest operation still: it does
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def do_POST(self) -> None:
            before()
            self.send_error(500)
            asked.set()

        def log_message(self, *_said: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Troubled)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()
