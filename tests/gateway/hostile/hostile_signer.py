"""Signers that mean harm, on real sockets: each answers every question with the same misdeed."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socket import socket
from socketserver import BaseRequestHandler, ThreadingTCPServer
from time import monotonic
from typing import Any

MEBIBYTE = 2**20


@dataclass
class HostileSigner:
    """`misdeed` gets the connection once a question has come; `asked_at` and `sent` tell what it saw and got rid of."""

    misdeed: Callable[[HostileSigner, socket], None]
    url: str = ""
    asked_at: list[float] = field(default_factory=list)
    sent: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def send(self, connection: socket, content: bytes) -> None:
        left = memoryview(content)
        while left:
            count = connection.send(left[:65_536])
            self.sent += count
            left = left[count:]


@contextmanager
def hostile(misdeed: Callable[[HostileSigner, socket], None]) -> Iterator[HostileSigner]:
    signer = HostileSigner(misdeed)

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                if _question(self.request):
                    signer.asked_at.append(monotonic())
                    misdeed(signer, self.request)

    class Server(ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        signer.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield signer
        finally:  # a thread that serves a closed socket spins for the rest of the run
            signer.over.set()
            server.shutdown()


def _question(connection: socket) -> bytes:
    """Reads all of it, as a signer would."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65_536) or b"\r\n\r\n"
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65_536) or bytes(length)
    return head


def says(content: bytes | Any, status: int = 200, *headers: str) -> Callable[[HostileSigner, socket], None]:
    """Answers with this body, JSON unless it is bytes."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    head = "\r\n".join([f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""])

    def misdeed(signer: HostileSigner, connection: socket) -> None:
        signer.send(connection, head.encode() + body)

    return misdeed


def refuses(index: str, reason: str = '"no"') -> Callable[[HostileSigner, socket], None]:
    """JSON as it is written, whatever Python would make of it."""
    return says(f'{{"refused": [{{"index": {index}, "reason": {reason}}}]}}'.encode(), 409)


def hangs(signer: HostileSigner, connection: socket) -> None:
    signer.over.wait()


def drips(signer: HostileSigner, connection: socket) -> None:
    """Well-formed, a byte at a time, each soon enough for a bound on one read."""
    signer.send(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not signer.over.wait(0.2):
        signer.send(connection, b" ")


def drips_its_head(signer: HostileSigner, connection: socket) -> None:
    signer.send(connection, b"HTTP/1.1 200 OK\r\n")
    while not signer.over.wait(0.2):
        signer.send(connection, b"X: y\r\n")


def never_ends(signer: HostileSigner, connection: socket) -> None:
    signer.send(connection, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"%x\r\n%s\r\n" % (MEBIBYTE, b" " * MEBIBYTE)
    while not signer.over.is_set():
        signer.send(connection, chunk)


def never_begins(signer: HostileSigner, connection: socket) -> None:
    """One provisional answer after another."""
    while not signer.over.is_set():
        signer.send(connection, b"HTTP/1.1 102 Processing\r\n\r\n" * 1_000)


def gzip_bomb() -> Callable[[HostileSigner, socket], None]:
    """Some thousands of bytes that become many millions."""
    return says(gzip.compress(bytes(50 * MEBIBYTE), 9), 200, "Content-Encoding: gzip")


def nested(opening: bytes = b"[") -> Callable[[HostileSigner, socket], None]:
    return says(opening * (10 * MEBIBYTE // len(opening)))


def nested_within_the_bound(status: int = 409) -> Callable[[HostileSigner, socket], None]:
    """Small enough to be read whole."""
    return says(b"[" * 25_000 + b"]" * 25_000, status)


def huge_head() -> Callable[[HostileSigner, socket], None]:
    return says({}, 200, "X-Long: " + "y" * (10 * MEBIBYTE))
