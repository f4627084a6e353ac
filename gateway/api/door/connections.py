"""The gateway's connections: within the bounds of gateway/inbound, with its own words for what is refused before it is a request."""

from __future__ import annotations

from typing import Any

import uvicorn

from gateway.api.limits import HEAD_BYTES, HEAD_SECONDS, KEEP_ALIVE_SECONDS, READING_SECONDS, STOPPING_SECONDS
from gateway.api.problems import HEADERS_OF, MEDIA_TYPE, TITLES, Problem, problem
from gateway.inbound.connections import Cause, ConnectionBounds, RawAnswer, bounded_server


def server_config(app: Any, connections_max: int) -> uvicorn.Config:
    """How the app is served."""
    bounds = ConnectionBounds(connections_max, HEAD_BYTES, HEAD_SECONDS, KEEP_ALIVE_SECONDS, READING_SECONDS, STOPPING_SECONDS)
    return bounded_server(app, bounds, _REFUSALS)


def _raw(found: Problem) -> RawAnswer:
    headers = {"Content-Type": MEDIA_TYPE, **HEADERS_OF.get(found.status, {})}
    return RawAnswer(found.status, found.title, headers, found.model_dump_json().encode())


_REFUSALS = {
    Cause.HEAD_TOO_LARGE: _raw(
        problem(431, "headers_too_large", f"{TITLES[431]}: at most {HEAD_BYTES} bytes", {"limit_bytes": HEAD_BYTES})
    ),
    Cause.MALFORMED: _raw(problem(400, "malformed_request", "this is no HTTP request")),
    Cause.TOO_MANY: _raw(problem(503, "overloaded", "too many connections: try again in a few seconds")),
}
