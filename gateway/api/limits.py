"""Bounds the size of request bodies before anything reads them, whether or not the sender says how long they are."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.problems import MEDIA_TYPE, problem

DEFAULT_LIMIT = 256 * 1024
BULK_LIMIT = 8 * 1024 * 1024
FILE_LIMIT = 64 * 1024 * 1024
LIMITS: Mapping[str, int] = {"/v1/payment-files": FILE_LIMIT}


class BodyLimit:
    """Answers 413 once a body exceeds the bound of its path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = limit_for(scope["path"])
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await _refuse(send, limit)
            return
        received = 0
        answered = False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _TooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except _TooLarge:
            if not answered:
                await _refuse(send, limit)


def limit_for(path: str) -> int:
    """The most bytes that a body sent to this path may have."""
    if path.endswith("/bulk"):
        return BULK_LIMIT
    return LIMITS.get(path, DEFAULT_LIMIT)


class _TooLarge(BaseException):
    """Passes through the framework's own handlers."""


async def _refuse(send: Send, limit: int) -> None:
    body = problem(413, "too_large", f"the body exceeds {limit} bytes", {"limit_bytes": limit}).model_dump_json().encode()
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
