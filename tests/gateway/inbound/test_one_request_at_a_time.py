"""A connection has one request at work. What comes before its answer ends the connection after that answer, unparsed and unserved."""

from __future__ import annotations

import gc
import time

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tests.gateway.inbound.small_server import answer, is_ended, send, small_server


def requests_held() -> int:
    return sum(isinstance(each, RequestResponseCycle) for each in gc.get_objects())


def test_of_many_requests_in_one_write_the_first_is_answered_and_the_connection_ends() -> None:
    with small_server() as server, server.sent(*["/"] * 50) as pipelined:
        assert answer(pipelined).startswith(b"HTTP/1.1 200 ")
        assert is_ended(pipelined)
        assert server.asked == ["/"]


def test_the_answer_says_that_the_connection_ends() -> None:
    with small_server() as server, server.sent("/slow") as pipelined:
        server.await_asked(1)
        send(pipelined, "/", "/")
        time.sleep(0.1)
        server.go_on.set()
        assert b"connection: close" in answer(pipelined)
        assert is_ended(pipelined)
        assert server.asked == ["/slow"]


def test_what_waits_behind_a_request_is_not_even_made_a_request() -> None:
    with small_server() as server:
        before = requests_held()
        opened = [server.sent("/slow", *["/"] * 200) for _ in range(4)]
        server.await_asked(4)
        for each in opened:
            send(each, *["/"] * 200)
        time.sleep(0.1)
        assert requests_held() - before <= 4
        for each in opened:
            each.close()


def test_requests_one_after_the_other_share_a_connection() -> None:
    with small_server() as server, server.connect() as kept:
        for number in range(1, 4):
            kept.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\r\n")  # some send an empty line after a body
            assert answer(kept).startswith(b"HTTP/1.1 200 ")
            server.await_asked(number)


def test_a_body_that_comes_slowly_is_no_second_request() -> None:
    with small_server() as server, server.connect() as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 37\r\n\r\nGET / HTTP/1.1\r\n")
        server.await_asked(1)
        slow.sendall(b"Content-Length: 0\r\n\r\n")
        assert b"connection: close" not in answer(slow)
        assert server.asked == ["/"]
