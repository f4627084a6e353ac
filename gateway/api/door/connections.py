"""The server's connections: their number, the size of headers, and how long a client may take. All of it holds before a request is one.

The parser itself bounds nothing, and keeps what it is fed of a header that does not end.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.api.limits import HEAD_BYTES, HEAD_SECONDS, KEEP_ALIVE_SECONDS, READING_SECONDS, STOPPING_SECONDS
from gateway.api.problems import HEADERS_OF, MEDIA_TYPE, TITLES, Problem, problem


def server_config(app: Any, connections_max: int) -> uvicorn.Config:
    """How the app is served."""
    bounded = type("BoundedConnection", (Connection,), {"connections_max": connections_max})
    return uvicorn.Config(
        app,
        http=bounded,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOPPING_SECONDS,
    )


class Connection(HttpToolsProtocol):
    """Between requests and within headers it is idle: then a timer runs, and it is the first to go where there are too many."""

    connections_max = 800
    idle_since: float | None = None
    _timer: asyncio.TimerHandle | None = None
    _spare = HEAD_BYTES  # bytes that may still come without being body
    _is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin_idling(HEAD_SECONDS)
        if len(self.connections) > self.connections_max:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self._unset_keepalive_if_required()
        self._spare -= len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # no other protocol is spoken here: the request is answered as it stands
        except httptools.HttpParserError:
            self._refuse(_TOO_LARGE if self._spare < 0 else _MALFORMED)
            return
        if self._spare < 0:
            self._refuse(_TOO_LARGE)

    def on_headers_complete(self) -> None:
        self.idle_since = None
        self._end_timer()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            self._spare = -1
            raise ValueError("the headers are too large")  # to the parser, which stops
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._spare += 2 * len(body)  # chunks may be small, but hold something
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._spare = HEAD_BYTES
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._begin_timer(READING_SECONDS)
        elif self.cycle.response_complete:
            self._begin_idling(KEEP_ALIVE_SECONDS + HEAD_SECONDS)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._begin_timer(READING_SECONDS)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.idle_since is None and not self.transport.is_closing():
            self._end_timer()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._begin_timer(READING_SECONDS)  # of what is still unread

    def _begin_idling(self, seconds: float) -> None:
        self.idle_since = self.loop.time()
        self._begin_timer(seconds)

    def _begin_timer(self, seconds: float) -> None:
        self._end_timer()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _make_room(self) -> None:
        """Who has said nothing for longest goes; where all are at work, the newcomer."""
        idle = [one for one in self.connections if isinstance(one, Connection) and one.idle_since is not None and one is not self]
        if idle:
            min(idle, key=lambda one: one.idle_since or 0.0)._drop()
        else:
            self._refuse(_TOO_MANY)

    def _drop(self) -> None:
        self._is_refused = True
        self.connections.discard(self)  # it is lost in the next turn of the loop
        self.transport.abort()

    def _refuse(self, found: Problem) -> None:
        """Answers what is no request yet; within an answer that has begun, the connection just ends."""
        self._is_refused = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()
            return
        body = found.model_dump_json().encode()
        headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), "Connection": "close", **HEADERS_OF.get(found.status, {})}
        lines = [f"HTTP/1.1 {found.status} {found.title}", *(f"{name.lower()}: {value}" for name, value in headers.items()), "", ""]
        self.transport.write("\r\n".join(lines).encode() + body)
        self.transport.close()
        self._begin_timer(READING_SECONDS)


_TOO_LARGE = problem(431, "headers_too_large", f"{TITLES[431]}: at most {HEAD_BYTES} bytes", {"limit_bytes": HEAD_BYTES})
_MALFORMED = problem(400, "malformed_request", "this is no HTTP request")
_TOO_MANY = problem(503, "overloaded", "too many connections: try again in a few seconds")
