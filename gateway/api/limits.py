"""Bounds request bodies before anything parses them: their size, said beforehand or not, and how deeply their JSON is nested.

The depth matters: libraries raise Python's recursion limit so far that a deeply nested body would end the whole process.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import from_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.problems import MEDIA_TYPE, Problem, problem

DEFAULT_LIMIT = 256 * 1024
BULK_LIMIT = 8 * 1024 * 1024
FILE_LIMIT = 64 * 1024 * 1024
STREAMED: Mapping[str, int] = {"/v1/payment-files": FILE_LIMIT}  # their routes count while they read
SURELY_SHALLOW = 100  # brackets


class BodyLimit:
    """Answers 413 for a body above the bound of its path, 400 for one nested too deeply."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = limit_for(scope["path"])
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await _refuse(send, _too_large(limit))
            return
        if scope["path"] in STREAMED:
            await self._app(scope, receive, send)
            return
        body = await _read(receive, limit)
        if body is None:
            await _refuse(send, _too_large(limit))
        elif not nested_sensibly(body):
            await _refuse(send, problem(400, "malformed_json", "the body is not JSON, or is nested too deeply"))
        else:
            await self._app(scope, _replaying(body, receive), send)


def limit_for(path: str) -> int:
    """The most bytes that a body sent to this path may have."""
    if path.endswith("/bulk"):
        return BULK_LIMIT
    return STREAMED.get(path, DEFAULT_LIMIT)


def nested_sensibly(body: bytes) -> bool:
    """False for JSON that a recursive parser could drown in; whatever has few brackets is left to the parser."""
    if body.count(b"[") + body.count(b"{") <= SURELY_SHALLOW:
        return True
    try:
        from_json(body)
    except ValueError:
        return False
    return True


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The whole body; None if it is above the limit."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return b"".join(parts)


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Gives the body once, then what the connection says."""
    replayed = False

    async def replay() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _too_large(limit: int) -> Problem:
    return problem(413, "too_large", f"the body exceeds {limit} bytes", {"limit_bytes": limit})


async def _refuse(send: Send, found: Problem) -> None:
    body = found.model_dump_json().encode()
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": found.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
