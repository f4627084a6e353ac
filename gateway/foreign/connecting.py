"""Connections for httpcore that keep a question's bounds and go to allowed addresses alone.

httpcore hands the timeouts of a request on to whatever makes its connections and never looks at them. Here they are the Question itself.
"""

from __future__ import annotations

import ipaddress
import queue
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

from gateway.foreign.addresses import AddressPolicy
from gateway.foreign.question import BoundReached, Question

_LOOK_SECONDS = 0.1  # how soon a question that waits for a name sees that it is broken off

_Found = list[tuple[socket.AddressFamily, Any]]


class BoundedConnections(httpcore.NetworkBackend):
    """Names are resolved here, once a connection, and the address that was judged is the one connected to."""

    def __init__(self, addresses: AddressPolicy | None) -> None:
        self._addresses = addresses

    def connect_tcp(
        self, host: str, port: int, timeout: Any = None, local_address: str | None = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        question: Question = timeout
        with _failing_as(httpcore.ConnectError):
            problem: OSError | str = "its name leads nowhere"
            for family, address in _looked_up(host, port, question):
                refusal = self._addresses and self._addresses.refusal(ipaddress.ip_address(address[0].partition("%")[0]))
                if refusal:
                    problem = refusal
                    continue
                try:
                    return BoundedStream(_connected(family, address, question))
                except OSError as error:
                    problem = error
            raise problem if isinstance(problem, OSError) else httpcore.ConnectError(problem)


class BoundedStream(httpcore.NetworkStream):
    """One connection. Kept open it serves many questions, each by its own bounds."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:
        question: Question = timeout
        with _failing_as(httpcore.ReadError):
            question.goes_through(self._connection)
            content = self._connection.recv(question.bytes_wanted(max_bytes))
            question.was_sent(len(content))
            return content

    def write(self, buffer: bytes, timeout: Any = None) -> None:
        question: Question = timeout
        left = memoryview(buffer)
        with _failing_as(httpcore.WriteError):
            while left:
                question.goes_through(self._connection)
                left = left[self._connection.send(left) :]

    def close(self) -> None:
        self._connection.close()

    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: Any = None) -> httpcore.NetworkStream:
        question: Question = timeout
        with _failing_as(httpcore.ConnectError):
            try:
                question.goes_through(self._connection)
                return BoundedStream(ssl_context.wrap_socket(self._connection, server_hostname=server_hostname))
            except BaseException:
                self.close()
                raise

    def get_extra_info(self, info: str) -> Any:
        """Whether something came unasked, or the end: then httpcore opens another connection."""
        if info != "is_readable":
            return None
        if self._connection.fileno() < 0:
            return True
        ready = select.poll()
        ready.register(self._connection, select.POLLIN)
        return bool(ready.poll(0))


@contextmanager
def _failing_as(failure: type[Exception]) -> Iterator[None]:
    """As httpcore expects it of a connection, and in no words but ours and the system's."""
    try:
        yield
    except BoundReached as error:
        raise failure(str(error)) from error
    except TimeoutError as error:
        raise failure("its time is over") from error
    except ssl.SSLCertVerificationError as error:
        raise failure("its TLS certificate is not valid here") from error
    except ssl.SSLError as error:
        raise failure("TLS cannot be agreed on, or broke") from error
    except OSError as error:
        raise failure(error.strerror or type(error).__name__) from error


def _connected(family: socket.AddressFamily, address: Any, question: Question) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        question.goes_through(connection)
        connection.connect(address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection


def _looked_up(host: str, port: int, question: Question) -> _Found:
    """A resolver knows no bound, so it works in a thread that nobody waits for longer than the question may take."""
    answer: queue.SimpleQueue[_Found | None] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put([(family, address) for family, _, _, _, address in found])
        except (OSError, UnicodeError):
            answer.put(None)

    threading.Thread(target=resolve, name="resolver", daemon=True).start()
    while True:
        try:
            return answer.get(timeout=min(_LOOK_SECONDS, question.seconds_left())) or []
        except queue.Empty:
            continue
