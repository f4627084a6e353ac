"""Bodies in JSON: bounded in depth (by the parser) and in the number of their parts, and parsed where nobody else waits."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from fastapi import Request
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from gateway.api.limits import JSON_PARTS

PARSED_AT_ONCE = 16 * 1024  # bytes; less than going to another thread costs


def parse_json(body: bytes) -> Any:
    """Raises HTTPException for what is no JSON, is nested too deeply or has too many parts."""
    if body.count(b"[") + body.count(b"{") + body.count(b",") > JSON_PARTS:
        raise HTTPException(413, f"the body has more than {JSON_PARTS} lists, objects and commas: send it in several requests")
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError:
        raise HTTPException(400, "the body is not JSON, or is nested too deeply") from None


class JsonRequest(Request):
    """A request whose body is parsed once, within the bounds."""

    _parsed: Any

    async def json(self) -> Any:
        if not hasattr(self, "_parsed"):
            body = await self.body()
            small = len(body) <= PARSED_AT_ONCE
            self._parsed = parse_json(body) if small else await anyio.to_thread.run_sync(parse_json, body)
        return self._parsed
