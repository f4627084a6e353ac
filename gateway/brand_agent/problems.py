"""Refusals to tills, in the gateway's shape (RFC 9457): a stable code, and what the till may do."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

from gateway.brand_agent.gateway_client import PROBLEM

_TITLES = {
    400: "The request is malformed",
    401: "Not authenticated",
    403: "Not permitted",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Not possible as things stand",
    413: "Too large",
    422: "The request is invalid",
    431: "Too large",
    500: "A fault of the agent",
    503: "Try again later",
    504: "The outcome is unknown",
}


class TillRefused(Exception):
    """A typed no to a till."""

    def __init__(self, status: int, code: str, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.facts = facts

    def view(self) -> dict[str, Any]:
        what = {"title": _TITLES.get(self.status, "Refused"), "status": self.status, "detail": self.detail}
        return {"type": PROBLEM + self.code, **what, "code": self.code, "facts": self.facts}

    def answer(self) -> JSONResponse:
        headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "2"}}.get(self.status)
        return JSONResponse(self.view(), self.status, headers, "application/problem+json")
