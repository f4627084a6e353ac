"""Refusals as problem details (RFC 9457). One table turns their types into status codes; anything else is a fault and crashes loudly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from gateway.values import errors

STATUS_OF: dict[type[errors.Refusal], int] = {
    errors.Invalid: 422,
    errors.NotFound: 404,
    errors.NotPermitted: 403,
    errors.NotAuthenticated: 401,
    errors.ReferenceReused: 409,
    errors.NotEnoughPoints: 409,
    errors.LimitExceeded: 409,
    errors.WrongState: 409,
    errors.ConsentRefused: 422,
    errors.MemberLocked: 409,
    errors.GrantMissing: 409,
    errors.GrantExceeded: 409,
    errors.LotExpired: 409,
    errors.ChecklistIncomplete: 422,
    errors.TooLarge: 413,
    errors.TooManyRequests: 429,
    errors.TooSlow: 408,
    errors.WrongHost: 421,
    errors.Unavailable: 503,
    errors.NoSeal: 409,
    errors.OperationRefused: 409,
}
TITLES = {
    400: "The request is malformed",
    401: "Not authenticated",
    403: "Not permitted",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Not possible as things stand",
    413: "Too large",
    415: "Wrong media type",
    421: "Not this gateway's host",
    422: "The request is invalid",
    429: "More than your share",
    431: "The headers are too large",
    500: "A fault of the gateway",
    503: "Try again later",
}
HEADERS_OF = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}, 503: {"Retry-After": "2"}}
_UNKNOWN_ROUTE = "the gateway has no such path: /docs lists those that it has, and the URL before /v1 may be wrong"
_ERRORS_MAX, _TOLD_MAX = 20, 5
MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """Problem details. `code` is stable; `facts` names the numbers behind the refusal."""

    type: str = Field(examples=["urn:splittally:problem:not_enough_points"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["not_enough_points"])
    facts: dict[str, Any] = {}


def problem(status: int, code: str, detail: str, facts: dict[str, Any] | None = None) -> Problem:
    return Problem(
        type=f"urn:splittally:problem:{code}",
        title=TITLES.get(status, "Refused"),
        status=status,
        detail=detail,
        code=code,
        facts=facts or {},
    )


def invalid_fields(found: Sequence[Mapping[str, Any]]) -> Problem:
    """Of what Pydantic found: `detail` says what is wrong with the first fields, `facts.errors` with each up to a bound."""
    places = [{"field": ".".join(str(part) for part in one["loc"]), "reason": one["msg"]} for one in found[:_ERRORS_MAX]]
    told = "; ".join(f"{one['field']}: {one['reason']}" for one in places[:_TOLD_MAX])
    more = len(found) - _TOLD_MAX
    return problem(422, "invalid", f"{told}; and {more} more" if more > 0 else told, {"errors": places})


def problem_of(refusal: errors.Refusal) -> Problem:
    """A refusal's problem details."""
    status = next((STATUS_OF[kind] for kind in type(refusal).__mro__ if kind in STATUS_OF), 409)
    return problem(status, refusal.code, refusal.message, dict(refusal.facts))


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem answers of a route, for the API description."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": TITLES[status], "content": content} for status in sorted({*statuses, 401, 403, 429})}


READS = answers(400, 404, 422, 503)
WRITES = answers(400, 404, 408, 409, 413, 422, 503)
OPEN_READS: dict[int | str, dict[str, Any]] = {422: READS[422]}
"""Of what is open to everyone and takes no parameters: it refuses those."""


def install(app: FastAPI) -> None:
    """Hands every refusal and fault of the app to this file."""
    app.add_exception_handler(errors.Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(Exception, _fault)


def _answer(found: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(found.model_dump(), found.status, headers, MEDIA_TYPE)


def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.Refusal)
    found = problem_of(error)
    return _answer(found, HEADERS_OF.get(found.status))


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return _answer(problem(400, "malformed_json", "the body is not JSON"))
    return _answer(invalid_fields(found))


def _plain(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    codes = {400: "malformed_json", 404: "unknown_route", 405: "method_not_allowed", 413: "too_large", 415: "wrong_media_type"}
    told = _UNKNOWN_ROUTE if error.status_code == 404 else str(error.detail)
    return _answer(problem(error.status_code, codes.get(error.status_code, "refused"), told), dict(error.headers or {}))


def _fault(_request: Request, _error: Exception) -> JSONResponse:
    return _answer(problem(500, "fault", "the gateway has a fault; nothing was written. It is in the log."))
