"""A server's connections: their number, the size of headers, and how long a client may take. All of it holds before a request is one.

The parser itself bounds nothing, and keeps what it is fed of a header that does not end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Cause(Enum):
    """Why a connection is refused what is no request yet."""

    HEAD_TOO_LARGE = auto()
    MALFORMED = auto()
    TOO_MANY = auto()


@dataclass(frozen=True, slots=True)
class RawAnswer:
    status: int
    title: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """`head_bytes`: request line and headers; of chunked bodies also all that is not body. `head_seconds`: from the connection's beginning,
    or its last answer and `keep_alive_seconds`, to the end of the headers. `reading_seconds`: that a client may leave an answer unread.
    `stopping_seconds`: that requests may go on when the server is told to stop.
    """

    connections_max: int
    head_bytes: int
    head_seconds: float
    keep_alive_seconds: int
    reading_seconds: float
    stopping_seconds: int


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A server's certificate, with those that lead to its authority, and its key (PEM)."""

    certificate: Path
    key: Path


def bounded_server(app: Any, bounds: ConnectionBounds, refusals: Mapping[Cause, RawAnswer], tls: TlsFiles | None = None) -> uvicorn.Config:
    """How the app is served."""
    bounded = type("BoundConnection", (Connection,), {"bounds": bounds, "refusals": refusals})
    return uvicorn.Config(
        app,
        http=bounded,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=bounds.keep_alive_seconds,
        timeout_graceful_shutdown=bounds.stopping_seconds,
        ssl_certfile=None if tls is None else tls.certificate,
        ssl_keyfile=None if tls is None else tls.key,
    )


class Connection(HttpToolsProtocol):
    """Between requests and within headers it is idle: then a timer runs, and it is the first to go where there are too many."""

    bounds: ConnectionBounds
    refusals: Mapping[Cause, RawAnswer]
    idle_since: float | None = None
    _timer: asyncio.TimerHandle | None = None
    _spare = 0  # bytes that may still come without being body
    _is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._spare = self.bounds.head_bytes
        self._begin_idling(self.bounds.head_seconds)
        if len(self.connections) > self.bounds.connections_max:
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
            self._refuse(Cause.HEAD_TOO_LARGE if self._spare < 0 else Cause.MALFORMED)
            return
        if self._spare < 0:
            self._refuse(Cause.HEAD_TOO_LARGE)

    def on_headers_complete(self) -> None:
        self.idle_since = None
        self._end_timer()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self.bounds.head_bytes:
            self._spare = -1
            raise ValueError("the headers are too large")  # to the parser, which stops
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._spare += 2 * len(body)  # chunks may be small, but hold something
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._spare = self.bounds.head_bytes
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._begin_timer(self.bounds.reading_seconds)
        elif self.cycle.response_complete:
            self._begin_idling(self.bounds.keep_alive_seconds + self.bounds.head_seconds)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._begin_timer(self.bounds.reading_seconds)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.idle_since is None and not self.transport.is_closing():
            self._end_timer()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._begin_timer(self.bounds.reading_seconds)  # of what is still unread

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
            self._refuse(Cause.TOO_MANY)

    def _drop(self) -> None:
        self._is_refused = True
        self.connections.discard(self)  # it is lost in the next turn of the loop
        self.transport.abort()

    def _refuse(self, cause: Cause) -> None:
        """Answers what is no request yet; within an answer that has begun, the connection just ends."""
        self._is_refused = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()
            return
        found = self.refusals[cause]
        headers = {**found.headers, "Content-Length": str(len(found.body)), "Connection": "close"}
        lines = [f"HTTP/1.1 {found.status} {found.title}", *(f"{name.lower()}: {value}" for name, value in headers.items()), "", ""]
        self.transport.write("\r\n".join(lines).encode() + found.body)
        self.transport.close()
        self._begin_timer(self.bounds.reading_seconds)
