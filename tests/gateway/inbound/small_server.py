"""A small app behind real connections, with bounds small enough to be reached by a handful of sockets."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn

from gateway.inbound.connections import Cause, ConnectionBounds, RawAnswer, TlsFiles, bounded_server, know

LARGE = b"x" * 12_000_000  # more than the kernel takes for a client that does not read
_BODIES = {"/large": [LARGE], "/streamed": [LARGE, b"and more"], "/pausing": [LARGE, b"and more"], "/medium": [b"x" * 40_000]}
BOUNDS = ConnectionBounds(
    connections_max=5, head_bytes=4_096, head_seconds=30.0, keep_alive_seconds=30, reading_seconds=30.0, stopping_seconds=1
)
_REFUSALS = {
    Cause.HEAD_TOO_LARGE: RawAnswer(431, "too large", {}, b""),
    Cause.MALFORMED: RawAnswer(400, "malformed", {}, b""),
    Cause.TOO_MANY: RawAnswer(503, "too many", {}, b""),
}


@dataclass
class SmallServer:
    """`asked` is the paths that the app was called for: /large and /streamed are answers of megabytes, /slow waits until `go_on` is set,
    /pausing does so within its answer; these answer without reading: /early and /pausing. `headers` is what each had in the end.
    """

    port: int
    asked: list[str] = field(default_factory=list)
    headers: list[list[tuple[bytes, bytes]]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    server: uvicorn.Server | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        for name, value in scope["headers"]:
            if name == b"x-known-as":
                know(scope, value.decode())
        while scope["path"] not in ("/early", "/pausing") and (await receive()).get("more_body"):
            pass
        self.headers.append(list(scope["headers"]))
        if scope["path"] == "/slow":
            await self._until_it_may_go_on()
        pieces = _BODIES.get(scope["path"], [b"answered"])
        length = (b"content-length", str(sum(len(piece) for piece in pieces)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        for number, piece in enumerate(pieces, start=1):
            await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces)})
            if scope["path"] == "/pausing":
                await self._until_it_may_go_on()

    async def _until_it_may_go_on(self) -> None:
        while not self.go_on.is_set():
            await asyncio.sleep(0.01)

    def connect(self) -> socket.socket:
        """With a window that little of an unread answer fits into."""
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        made.settimeout(10)
        made.connect(("127.0.0.1", self.port))
        return made

    def sent(self, *paths: str, head: str = "") -> socket.socket:
        """A connection on which these were asked for in one write."""
        made = self.connect()
        send(made, *paths, head=head)
        return made

    def connections(self) -> int:
        assert self.server is not None
        return len(self.server.server_state.connections)

    def bytes_unread(self) -> int:
        """Of answers, beyond what the kernel took."""
        assert self.server is not None
        return sum(one.transport.get_write_buffer_size() for one in list(self.server.server_state.connections))

    def await_asked(self, count: int) -> None:
        until = time.monotonic() + 10
        while len(self.asked) < count:
            assert time.monotonic() < until, self.asked
            time.sleep(0.01)


def send(opened: socket.socket, *paths: str, head: str = "") -> None:
    opened.sendall("".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n" for path in paths).encode())


def answer(opened: socket.socket) -> bytes:
    """One small answer, its body included; nothing where the connection ended."""
    received = b""
    with suppress(ConnectionResetError):
        while not received.endswith(b"answered") and b"content-length: 0" not in received:
            if not (piece := opened.recv(4_096)):
                break
            received += piece
    return received


def is_ended(opened: socket.socket) -> bool:
    """Whether nothing comes any more, within the socket's patience."""
    try:
        while opened.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


@contextmanager
def small_server(tls: TlsFiles | None = None, **bounds: Any) -> Iterator[SmallServer]:
    listening = socket.create_server(("127.0.0.1", 0))
    served = SmallServer(listening.getsockname()[1])
    config = bounded_server(served, replace(BOUNDS, **bounds), _REFUSALS, tls)
    config.lifespan = "off"
    server = served.server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield served
    finally:
        served.go_on.set()
        server.should_exit = server.force_exit = True
        thread.join()
        listening.close()
