"""The one way to ask a program that is not ours over HTTP.

No redirect is followed, nothing is decompressed, no proxy or password file of the environment is looked at, and each question ends in time.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpcore

from gateway.foreign.addresses import AddressPolicy
from gateway.foreign.connecting import BoundedConnections
from gateway.foreign.question import Question
from gateway.values.urls import without_secrets

_KEEPALIVE_SECONDS = 30.0  # shorter than signers keep a silent connection
_CONNECTIONS_KEPT = 256
_NO_HTTP = "it hangs up, or speaks no HTTP"
_NO_HTTPS = f"{_NO_HTTP}: where it serves TLS, write https:// into its URL"


class NotConnected(Exception):
    """Nothing was sent: it has not seen the question. The message says why, in our words."""


class NoAnswer(Exception):
    """It may have seen the question; no answer came within the bounds, or none that is HTTP. The message says why, in our words."""


class NotInTime(NoAnswer):
    """Its time was over."""


@dataclass(frozen=True, slots=True)
class ForeignAnswer:
    """The body is as it came, unread. `retry_after`: seconds that it asks us to wait."""

    status: int
    content: bytes
    retry_after: int = 0


@dataclass(slots=True)
class _Open:
    """Connections, and the questions that use them. They are closed when nobody does any more."""

    pool: httpcore.ConnectionPool
    under_way: set[Question] = field(default_factory=set)
    is_over: bool = False


class ForeignClient:
    """Thread-safe. Connections stay open until `close()`; who asks after that begins with new ones."""

    def __init__(
        self, *, seconds: float, bytes_max: int, addresses: AddressPolicy | None, authorities: ssl.SSLContext | None = None
    ) -> None:
        """`seconds` and `bytes_max` bound a whole question; `addresses` None: who starts the program names the address; `authorities`
        (authorities.py) None: the public ones."""
        self._seconds = seconds
        self._bytes_max = bytes_max
        self._addresses = addresses
        self._authorities = authorities
        self._guard = threading.Lock()
        self._open: _Open | None = None

    def ask(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None, bytes_max: int | None = None
    ) -> ForeignAnswer:
        """Whatever status it answers; `bytes_max` None: the client's own. Raises NotConnected or NoAnswer."""
        target, host = _target(url)
        sent = list({"Host": host, "Accept": "application/json", "Accept-Encoding": "identity", **headers}.items())
        question = Question(self._seconds, bytes_max or self._bytes_max)
        bounds = {"timeout": dict.fromkeys(("connect", "read", "write"), question)}
        with self._connections(question) as pool:
            try:
                with pool.stream(method, target, headers=sent, content=content, extensions=bounds) as answer:
                    if any(name.lower() == b"content-encoding" and value.lower() != b"identity" for name, value in answer.headers):
                        raise NoAnswer("its answer is compressed, which was not asked for")
                    return ForeignAnswer(answer.status, b"".join(answer.iter_stream()), _retry_after(answer.headers))
            except httpcore.ConnectError as error:
                raise NotConnected(str(error)) from error
            except httpcore.NetworkError as error:
                raise (NotInTime if question.is_late else NoAnswer)(str(error)) from error
            except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:  # whose words may be the other side's
                raise NoAnswer(_NO_HTTPS if url.startswith("http:") else _NO_HTTP) from error

    def close(self) -> None:
        """Breaks off what is under way, each at once with NotConnected or NoAnswer."""
        with self._guard:
            if self._open is None:
                return
            was, self._open = self._open, None
            was.is_over = True
            broken_off = list(was.under_way)
        for question in broken_off:
            question.break_off()
        if not broken_off:
            was.pool.close()

    @contextmanager
    def _connections(self, question: Question) -> Iterator[httpcore.ConnectionPool]:
        with self._guard:
            used = self._open = self._open or _Open(self._new_pool())
            used.under_way.add(question)
        try:
            yield used.pool
        finally:
            with self._guard:
                used.under_way.discard(question)
                is_last = used.is_over and not used.under_way
            if is_last:
                used.pool.close()

    def _new_pool(self) -> httpcore.ConnectionPool:
        return httpcore.ConnectionPool(
            ssl_context=self._authorities,
            max_connections=None,
            max_keepalive_connections=_CONNECTIONS_KEPT,
            keepalive_expiry=_KEEPALIVE_SECONDS,
            network_backend=BoundedConnections(self._addresses),
        )


def _retry_after(headers: list[tuple[bytes, bytes]]) -> int:
    """Of moments, and of more than some minutes, nothing is taken."""
    told = next((value for name, value in headers if name.lower() == b"retry-after"), b"")
    return int(told) if told.isdigit() and len(told) < 4 else 0


def _target(url: str) -> tuple[httpcore.URL, str]:
    """What to ask, and what to say as Host. A user's name and password in the URL go nowhere."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.encode("ascii"), (parts.hostname or "").encode("ascii"), parts.port
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if scheme not in (b"http", b"https") or not host:
            raise ValueError("no http URL")
        named = parts.netloc.rpartition("@")[2]
        return httpcore.URL(scheme=scheme, host=host, port=port, target=target.encode("ascii")), named
    except ValueError as error:
        raise NotConnected(f"{without_secrets(url)[:200]!a} is no http URL") from error
