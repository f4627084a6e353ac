"""Where there are too many connections, those that wait for their client make room: who reads no answer as well as who says nothing."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from gateway.inbound.connections import TlsFiles
from tests.gateway.brand_agent.test_tls import make_authority
from tests.gateway.inbound.small_server import LARGE, SmallServer, answer, is_ended, send, small_server


@contextmanager
def opened(server: SmallServer, count: int, *paths: str, head: str = "") -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(server.sent(*paths, head=head)) for _ in range(count)]


def is_served(server: SmallServer) -> bool:
    with server.sent("/", head="Connection: close\r\n") as newcomer:
        return answer(newcomer).startswith(b"HTTP/1.1 200 ")


def as_known(name: str) -> str:
    return f"X-Known-As: {name}\r\n"


def answers_still(kept: socket.socket) -> bool:
    try:
        send(kept, "/")
    except OSError:
        return False
    return answer(kept).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("paths", [["/large"], ["/large", "/"], ["/streamed"]], ids=["kept alive", "ending", "being made"])
def test_who_reads_no_answer_gives_way(paths: list[str]) -> None:
    with small_server() as server, opened(server, 5, *paths):
        server.await_asked(5)
        assert [is_served(server) for _ in range(10)] == [True] * 10


def test_who_asks_again_without_reading_gives_way() -> None:
    with small_server() as server, opened(server, 5, "/large") as unread:
        server.await_asked(5)
        for each in unread:
            send(each, "/large")
        server.await_asked(10)
        assert [is_served(server) for _ in range(10)] == [True] * 10


def test_who_leaves_a_little_unread_of_an_ended_connection_gives_way() -> None:
    """Less than what an answer's maker is made to wait for."""
    with small_server(connections_max=1) as server, server.connect() as unread:
        asked = 1
        while not server.bytes_unread():
            send(unread, "/medium")
            server.await_asked(asked)
            asked += 1
        send(unread, "/", head="Connection: close\r\n")
        server.await_asked(asked)
        time.sleep(0.2)  # until it is answered, and the connection ended by the server
        assert is_served(server)


def test_who_asks_again_without_reading_is_ended_in_time() -> None:
    with small_server(reading_seconds=0.5, head_seconds=0.5, keep_alive_seconds=1) as server, server.sent("/large") as unread:
        server.await_asked(1)
        send(unread, "/large")
        server.await_asked(2)
        time.sleep(2.0)
        assert server.connections() == 0


def test_a_large_answer_that_is_read_slowly_comes_whole_while_there_is_room() -> None:
    with small_server() as server, opened(server, 1, "/large", head="Connection: close\r\n") as slow:
        server.await_asked(1)
        assert is_served(server)
        received = 0
        while piece := slow[0].recv(1_000_000):
            received += len(piece)
        assert received > len(LARGE)


def test_who_has_read_what_there_was_is_not_cut_off_while_the_rest_is_made() -> None:
    """Nor does it make room: what is waited for is the server's to do."""
    with small_server(connections_max=1, reading_seconds=1.0) as server, socket.create_connection(("127.0.0.1", server.port)) as reader:
        reader.settimeout(10)
        send(reader, "/pausing", head="Connection: close\r\n")
        received = 0
        while received < len(LARGE):
            received += len(reader.recv(1_000_000))
        time.sleep(1.5)
        with server.sent("/") as newcomer:
            assert answer(newcomer).startswith(b"HTTP/1.1 503 ")
        server.go_on.set()
        rest = b""
        while piece := reader.recv(1_000_000):
            rest += piece
        assert rest.endswith(b"and more")


def test_who_is_at_work_stays_and_the_newcomer_is_told_to_come_back() -> None:
    with small_server() as server, opened(server, 5, "/slow") as working:
        server.await_asked(5)
        for _ in range(3):
            with server.sent("/") as newcomer:
                assert answer(newcomer).startswith(b"HTTP/1.1 503 ")
                assert is_ended(newcomer)
        server.go_on.set()
        assert all(answer(each).startswith(b"HTTP/1.1 200 ") for each in working)


def test_a_newcomer_that_was_refused_takes_nobodys_place_however_long_it_lingers(tmp_path: Path) -> None:
    """Over TLS an ended connection waits for the other side to say so, too."""
    authority = make_authority(tmp_path / "authority")
    tls = TlsFiles(authority.parent / "tls.pem", authority.parent / "tls.key")
    context = ssl.create_default_context(cafile=authority)
    with small_server(tls) as server, ExitStack() as stack:
        for _ in range(15):
            each = stack.enter_context(context.wrap_socket(server.connect(), server_hostname="127.0.0.1"))
            send(each, "/slow")
            time.sleep(0.02)
        assert server.asked == ["/slow"] * 5


@pytest.mark.parametrize("path", ["/", "/large"], ids=["silent", "unread"])
def test_strangers_give_way_before_those_who_are_known(path: str) -> None:
    with small_server() as server, opened(server, 3, "/", head=as_known("till")) as tills:
        assert all(answer(each) for each in tills)
        for _ in range(2):
            with opened(server, 2, path):
                assert [is_served(server) for _ in range(10)] == [True] * 10
                assert all(answers_still(each) for each in tills), "without a key now, as when they ask whether the server is well"


def test_of_those_who_are_known_the_one_that_holds_most_gives_way() -> None:
    """Strangers that have no more than their part are let be, so that a caller with many connections locks no newcomer out."""
    with small_server(connections_max=16) as server, opened(server, 1, "/", head=as_known("till")) as tills:
        assert answer(tills[0])
        with opened(server, 15, "/large", head=as_known("greedy")):
            server.await_asked(16)
            with server.connect() as first, server.connect() as second:
                time.sleep(0.1)
                for newcomer in (first, second):
                    assert answers_still(newcomer)
            assert answers_still(tills[0])
