"""A request's body: taken whole before anything works on it, within a size and a time, large ones on disk; then given out again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from starlette.types import Message, Receive, Scope

from gateway.api.limits import LaneBounds
from gateway.values.errors import TooLarge, TooSlow

IN_MEMORY = 256 * 1024
PIECE = 256 * 1024


class ClientGone(Exception):
    """Nobody is there to answer any more."""


def declared_bytes(scope: Scope) -> int | None:
    """What the request says of its body's length; None where it comes in chunks."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return None
    declared = headers.get(b"content-length", b"0")
    return int(declared[:18]) if declared.isdigit() else 0


def check_declared(declared: int | None, bounds: LaneBounds) -> None:
    """Raises TooLarge for a body that says itself that it is."""
    if declared is not None and declared > bounds.body_bytes:
        raise _too_large(bounds)


def has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


class TakenBody:
    """A body that has come. Its file has no name and is gone when it is closed, or with the process."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._is_over = False

    @classmethod
    async def taken(cls, receive: Receive, bounds: LaneBounds, spool: Path | None) -> TakenBody:
        """The whole body. Raises TooLarge, TooSlow or ClientGone."""
        body = cls(SpooledTemporaryFile(IN_MEMORY, dir=None if spool is None else str(spool)))  # noqa: SIM115 - closed by close()
        try:
            async with asyncio.timeout(bounds.body_seconds):
                await body._take(receive, bounds)
        except TimeoutError:
            body.close()
            raise TooSlow(f"the body did not arrive within {bounds.body_seconds:g} seconds", seconds=bounds.body_seconds) from None
        except BaseException:
            body.close()
            raise
        body._file.seek(0)
        return body

    def replaying(self, receive: Receive) -> Receive:
        """Gives the body in pieces, then what the connection says."""

        async def replay() -> Message:
            if self._is_over:
                return await receive()
            piece = self._file.read(PIECE)
            self._is_over = len(piece) < PIECE
            return {"type": "http.request", "body": piece, "more_body": not self._is_over}

        return replay

    def close(self) -> None:
        self._file.close()

    async def _take(self, receive: Receive, bounds: LaneBounds) -> None:
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part = message.get("body", b"")
            size += len(part)
            if size > bounds.body_bytes:
                raise _too_large(bounds)
            self._file.write(part)  # to memory or the page cache: no slower than the socket that it came from
            if not message.get("more_body", False):
                return


def _too_large(bounds: LaneBounds) -> TooLarge:
    return TooLarge(f"the body exceeds {bounds.body_bytes} bytes", limit_bytes=bounds.body_bytes)
