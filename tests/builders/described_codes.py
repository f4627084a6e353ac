"""Whatever problem a test is answered has a code that the API's description names for that operation."""

from __future__ import annotations

import functools
import re
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from gateway.api.description import CODES

OF_EVERY_CALL = {405, 415, 421, 500}  # the reference says so once


def check_codes(client: TestClient) -> TestClient:
    """Has all answers to this client checked."""
    app = client.app
    while not isinstance(app, FastAPI):
        app = app.app  # type: ignore[attr-defined]
    client.event_hooks = {"response": [functools.partial(_check, app)]}
    return client


def _check(app: FastAPI, answer: Any) -> None:
    if answer.headers.get("content-type") != "application/problem+json" or answer.status_code in OF_EVERY_CALL:
        return
    answer.read()
    method, path = answer.request.method.lower(), answer.request.url.path
    operation = next((found[method] for pattern, found in _operations(app) if method in found and pattern.fullmatch(path)), None)
    if operation is not None:
        named = operation["responses"].get(str(answer.status_code), {}).get(CODES, [])
        assert answer.json()["code"] in named, f"{operation['operationId']} is not described to answer {answer.status_code} {answer.json()}"


_KNOWN: list[tuple[re.Pattern[str], dict[str, Any]]] = []


def _operations(app: FastAPI) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Made once: every app has the same routes. Paths without variables go first."""
    if not _KNOWN:
        paths = sorted(app.openapi()["paths"].items(), key=lambda one: one[0].count("{"))
        _KNOWN.extend((re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), methods) for path, methods in paths)
    return _KNOWN
