"""HTTP/1.1 over kept connections with as little of this process's time as it takes: the load shares the machine with what it measures."""

from __future__ import annotations

import asyncio

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Lost(ConnectionError):
    """The connection ended before the answer did."""


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._whole = 0  # bytes of the answer, once its head is there
        self._body_at = 0
        self._answered: asyncio.Future[tuple[int, bytes]] | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body."""
        if self._transport is None or self._transport.is_closing():
            raise Lost
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answered

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._whole and not self._read_head():
            return
        if len(self._received) < self._whole:
            return
        status, body = int(self._received[9:12]), bytes(self._received[self._body_at : self._whole])
        del self._received[: self._whole]
        self._whole = 0
        if self._answered is not None and not self._answered.done():
            self._answered.set_result((status, body))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(Lost(str(error or "closed")))

    def _read_head(self) -> bool:
        end = self._received.find(_END_OF_HEAD)
        if end < 0:
            return False
        head = bytes(self._received[:end]).lower()
        at = head.find(_LENGTH)
        if at < 0:
            raise ValueError(f"an answer without a length: {head[:300]!r}")
        line = head[at + len(_LENGTH) :].split(b"\r", 1)[0]
        self._body_at = end + len(_END_OF_HEAD)
        self._whole = self._body_at + int(line)
        return True


class Connections:
    """Of one process to several servers on loopback, by port. At most `most` to each; who finds none waits."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._idle: dict[int, list[Connection]] = {}
        self._free: dict[int, asyncio.Semaphore] = {}
        self.opened = 0

    async def ask(self, port: int, request: bytes) -> tuple[int, bytes]:
        """Once more where a kept connection had been closed meanwhile: everything that is sent happens once."""
        free = self._free.setdefault(port, asyncio.Semaphore(self._most))
        async with free:
            for _ in range(3):
                connection = await self._take(port)
                try:
                    answer = await connection.ask(request)
                except Lost:
                    continue
                self._idle[port].append(connection)
                return answer
        raise Lost(f"port {port} closes every connection")

    def close(self) -> None:
        for idle in self._idle.values():
            for connection in idle:
                connection.close()

    async def _take(self, port: int) -> Connection:
        idle = self._idle.setdefault(port, [])
        while idle:
            connection = idle.pop()
            if connection.is_open:
                return connection
        self.opened += 1
        _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
        return connection


def request(method: str, path: str, port: int, token: str, body: str = "", **headers: str) -> bytes:
    """Its bytes; names of headers with _ for -."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    content = body.encode()
    typed = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n" if method == "POST" else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n{typed}{more}\r\n"
    return head.encode() + content
