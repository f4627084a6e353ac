"""What comes after the headers: a body that nobody reads ends the connection, and trailers are bounded and kept by nobody."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.inbound.connections import TlsFiles
from tests.gateway.brand_agent.test_tls import make_authority
from tests.gateway.inbound.small_server import BOUNDS, answer, is_ended, send, small_server

CHUNKED = b"POST /%b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"%x\r\n" % BOUNDS.head_bytes + b"x" * BOUNDS.head_bytes + b"\r\n"
TRAILER = b"a:b\r\n"
MOST_READ_AT_ONCE = 256 * 1024


def bytes_taken(opened: socket.socket, piece: bytes, most: int) -> int:
    """How many go through before the connection ends; each piece has time to be read by itself."""
    taken = 0
    with suppress(OSError):
        while taken < most:
            opened.sendall(piece)
            taken += len(piece)
            time.sleep(0.005)
    return taken


@pytest.fixture(params=["plain", "tls"])
def authority(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return make_authority(tmp_path / "authority") if request.param == "tls" else None


def test_an_answer_before_the_body_says_that_it_ends_the_connection_and_does(authority: Path | None) -> None:
    tls = None if authority is None else TlsFiles(authority.parent / "tls.pem", authority.parent / "tls.key")
    with small_server(tls, reading_seconds=1.0) as server:
        sent = server.connect()
        if authority is not None:
            sent = ssl.create_default_context(cafile=authority).wrap_socket(sent, server_hostname="127.0.0.1")
        sent.sendall(CHUNKED % b"early")
        assert b"connection: close" in answer(sent)
        until = time.monotonic() + 5
        while server.connections():
            assert time.monotonic() < until
            bytes_taken(sent, CHUNK, len(CHUNK))
        assert server.asked == ["/early"]
        sent.close()


def test_a_body_that_comes_whole_within_its_answer_keeps_no_connection() -> None:
    with small_server() as server, socket.create_connection(("127.0.0.1", server.port), timeout=10) as sent:
        sent.sendall(b"POST /pausing HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
        assert b"connection: close" in sent.recv(4_096)
        sent.sendall(b"abc")
        time.sleep(0.1)
        server.go_on.set()
        assert is_ended(sent)


def test_a_body_that_has_come_ends_no_connection_though_the_app_did_not_read_it() -> None:
    with small_server() as server, server.connect() as kept:
        for _ in range(2):
            kept.sendall(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
            assert b"connection: close" not in answer(kept)
        assert server.asked == ["/early"] * 2


def test_an_answer_under_way_when_the_server_stops_ends_its_connection() -> None:
    """Also where the body came whole only afterwards."""
    with small_server(stopping_seconds=5) as server, server.connect() as sent:
        sent.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
        server.await_asked(1)
        assert server.server is not None
        server.server.should_exit = True
        time.sleep(0.3)
        sent.sendall(b"abc")
        assert b"connection: close" in answer(sent)
        assert is_ended(sent)


def test_trailers_are_thrown_away() -> None:
    with small_server() as server, server.connect() as kept:
        kept.sendall(CHUNKED % b"" + CHUNK + b"0\r\nX-Known-As: a till\r\nHost: elsewhere\r\n\r\n")
        assert answer(kept).startswith(b"HTTP/1.1 200 ")
        send(kept, "/")
        assert answer(kept).startswith(b"HTTP/1.1 200 ")
        assert server.headers == [[(b"host", b"x"), (b"transfer-encoding", b"chunked")], [(b"host", b"x")]]


def test_a_large_body_pays_for_no_trailers() -> None:
    """Nor for more than the bound of chunks that hold next to nothing."""
    with small_server() as server:
        for begin, piece in ((b"0\r\n", TRAILER * 500), (b"", b"1\r\nx\r\n" * 500)):
            with server.connect() as sent:
                sent.sendall(CHUNKED % b"")
                assert bytes_taken(sent, CHUNK, 500_000) >= 500_000
                sent.sendall(begin)
                assert bytes_taken(sent, piece, 1_000_000) < 4 * BOUNDS.head_bytes + MOST_READ_AT_ONCE
                assert is_ended(sent)


def test_chunks_of_a_usual_size_are_free_however_many() -> None:
    with small_server() as server, server.connect() as sent:
        sent.sendall(CHUNKED % b"")
        assert bytes_taken(sent, b"8\r\n12345678\r\n" * 1_000, 1_000_000) >= 1_000_000
        sent.sendall(b"0\r\n" + TRAILER * 100 + b"\r\n")
        assert answer(sent).startswith(b"HTTP/1.1 200 ")
