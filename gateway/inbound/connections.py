"""A server's connections: their number, the size of headers, and how long a client may take. All of it holds before a request is one.

The parser itself bounds nothing, and keeps what it is fed of a header that does not end.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_KNOWN_AS = "splittally.known_as"  # in a request's scope
_STRANGERS_PART = 8  # of all connections, one in so many is for who has not said yet who it is


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
    """`head_bytes`: request line and headers; of chunked bodies, trailers (but for those read together with the body's end), and what their
    frames take beyond what they hold. `head_seconds`: from the connection's beginning, or its last answer and `keep_alive_seconds`, to
    the end of the headers. `reading_seconds`: that a client may leave an answer unread. `stopping_seconds`: that requests may go on when
    the server is told to stop.
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


def know(scope: MutableMapping[str, Any], name: str) -> None:
    """This request is of a caller that the server knows. Until then a connection is a stranger's; afterwards it is this caller's."""
    scope[_KNOWN_AS] = name


class Connection(HttpToolsProtocol):
    """While it waits for its client, to say something or to read what it asked for, a timer runs and it may be ended to make room.

    It ends with an answer that begins before the request's body has come whole, which the answer says: nobody reads the rest.
    """

    bounds: ConnectionBounds
    refusals: Mapping[Cause, RawAnswer]
    waiting_since: float | None = None
    _known_as: str | None = None
    _timer: asyncio.TimerHandle | None = None
    _spare = 0  # bytes that may still come without being body
    _outlasts_answer = False  # once the body has come whole
    _is_over = False  # whatever still comes is thrown away unread

    @property
    def holder(self) -> str | None:
        """Who was known last on this connection; None for a stranger."""
        known = None if self.cycle is None else self.cycle.scope.get(_KNOWN_AS)
        return known if isinstance(known, str) else self._known_as

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._spare = self.bounds.head_bytes
        self._begin_waiting(self.bounds.head_seconds)
        if len(self.connections) > self.bounds.connections_max:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            return
        self._unset_keepalive_if_required()
        self._spare -= len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # no other protocol is spoken here: the request is answered as it stands
        except httptools.HttpParserError:
            if self._is_over:
                return
            self._refuse(Cause.HEAD_TOO_LARGE if self._spare < 0 else Cause.MALFORMED)
            return
        if self._spare < 0:
            self._refuse(Cause.HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        """One request at a time: with one that comes before the last was answered, the connection ends after that answer. Parsed, the
        thousands that fit into one reading would take a hundred times their bytes."""
        if self._is_at_work():
            self._is_over = True
            self.cycle.keep_alive = False
            raise ValueError("a request before the last one was answered")  # to the parser, which stops
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A trailer is thrown away: nobody here asks for one, and it would stand among the headers of a request that was let in."""
        if not self._is_at_work():
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self.bounds.head_bytes:
            self._spare = -1
            raise ValueError("the headers are too large")  # to the parser, which stops
        self._known_as = self.holder
        super().on_headers_complete()
        self._outlasts_answer, self.cycle.keep_alive = self.cycle.keep_alive, False
        self._end_waiting()

    def on_body(self, body: bytes) -> None:
        self._spare = min(self._spare + 2 * len(body), self.bounds.head_bytes)  # chunks may be small, but hold something
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._spare = self.bounds.head_bytes
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._outlasts_answer
        super().on_message_complete()

    def shutdown(self) -> None:
        self._outlasts_answer = False
        super().shutdown()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        bounds = self.bounds
        self._begin_waiting(bounds.reading_seconds if self.transport.is_closing() else bounds.keep_alive_seconds + bounds.head_seconds)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._begin_waiting(self.bounds.reading_seconds)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._is_at_work() and not self.transport.is_closing():
            self._end_waiting()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._begin_timer(self.bounds.reading_seconds)  # of what is still unread

    def _is_at_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _begin_waiting(self, seconds: float) -> None:
        self.waiting_since = self.loop.time()
        self._begin_timer(seconds)

    def _end_waiting(self) -> None:
        """A new request is no reason to, where the answers before it are unread."""
        if not self.flow.write_paused:
            self.waiting_since = None
            self._end_timer()

    def _begin_timer(self, seconds: float) -> None:
        self._end_timer()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _make_room(self) -> None:
        """A stranger goes first where they have more than their part, else one of whoever holds most; of these, who has waited for its
        client for longest. Where all are at work it is the newcomer."""
        all_of_them = [one for one in self.connections if isinstance(one, Connection)]
        held = Counter(one.holder for one in all_of_them)
        held[None] = len(all_of_them) if held[None] > self.bounds.connections_max // _STRANGERS_PART else 0
        waiting = [(-held[one.holder], one.waiting_since, one) for one in all_of_them if one.waiting_since is not None and one is not self]
        if waiting:
            min(waiting, key=lambda one: one[:2])[2]._drop()
        else:
            self._refuse(Cause.TOO_MANY)
            self.connections.discard(self)  # it takes nobody's place

    def _drop(self) -> None:
        self._is_over = True
        self.connections.discard(self)  # it is lost in the next turn of the loop
        self.transport.abort()

    def _refuse(self, cause: Cause) -> None:
        """Answers what is no request yet; within an answer that has begun, the connection just ends."""
        self._is_over = True
        if self._is_at_work():
            self.transport.abort()
            return
        found = self.refusals[cause]
        headers = {**found.headers, "Content-Length": str(len(found.body)), "Connection": "close"}
        lines = [f"HTTP/1.1 {found.status} {found.title}", *(f"{name.lower()}: {value}" for name, value in headers.items()), "", ""]
        self.transport.write("\r\n".join(lines).encode() + found.body)
        self.transport.close()
        self._begin_timer(self.bounds.reading_seconds)
