"""Every problem code with its status and title, every reason of a refused entry with its selector, every reason of a signer's.

Refusals are raised in a route of the real app, so that what is recorded is what a caller gets.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from gateway import brand_signer
from gateway.app import create_app
from gateway.ledger.refusals import SELECTORS
from gateway.values.errors import Refusal
from tests.builders.offline_coalition import OfflineCoalition

STATUSES = (400, 401, 403, 404, 405, 406, 409, 413, 415, 418, 422, 429, 500, 503)
SIGNER_REASON_CALLS = {"require", "NotSupported", "RefusedEntry"}


def collect(folder: Path) -> dict[str, Any]:
    coalition = OfflineCoalition(folder)
    try:
        return {
            "refusals": _refusals(coalition),
            "statuses": _statuses(coalition),
            "requests": _requests(coalition),
            "entry_refusals": {refusal.value: "0x" + code.hex() for refusal, code in sorted(SELECTORS.items())},
            "signer_reasons": sorted(_signer_reasons()),
        }
    finally:
        coalition.close()


def _refusals(coalition: OfflineCoalition) -> dict[str, Any]:
    """By code; the codes are one to a class."""
    kinds = sorted(_kinds_of(Refusal), key=lambda kind: kind.code)
    assert len({kind.code for kind in kinds}) == len(kinds)
    return {kind.code: _raised(coalition, kind("the message", fact=1)) for kind in kinds}


def _kinds_of(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__.startswith("gateway."):
            yield from _kinds_of(below)


def _statuses(coalition: OfflineCoalition) -> dict[str, Any]:
    """What the framework refuses by status alone, and a fault."""
    plain = {str(status): _raised(coalition, HTTPException(status, "the message")) for status in STATUSES}
    return plain | {"a fault": _raised(coalition, RuntimeError("the message"))}


def _raised(coalition: OfflineCoalition, error: Exception) -> dict[str, Any]:
    def route() -> NoReturn:
        raise error

    app = create_app(coalition.context)
    app.add_api_route("/raises", route, response_model=None)
    return _shown(TestClient(app, base_url="http://localhost", raise_server_exceptions=False).get("/raises"))


def _requests(coalition: OfflineCoalition) -> dict[str, Any]:
    coalition.brand(1)
    client, key = coalition.client, {"Authorization": f"Bearer {coalition.tokens['brand:1']}", "Idempotency-Key": "k"}
    json_key = {**key, "Content-Type": "application/json"}
    asked: dict[str, Callable[[], Any]] = {
        "no such path": lambda: client.get("/v1/nothing", headers=key),
        "no such method": lambda: client.put("/v1/purchases", headers=key),
        "no JSON": lambda: client.post("/v1/purchases", content=b"{", headers=json_key),
        "nested too deeply": lambda: client.post("/v1/purchases", content=b"[" * 100_000, headers=json_key),
        "another media type": lambda: client.post("/v1/purchases", content=b"{}", headers={**key, "Content-Type": "text/plain"}),
        "too large": lambda: client.post("/v1/purchases", content=b" " * 2_000_000, headers=json_key),
        "not as described": lambda: client.post("/v1/purchases", json={"gross_minor": 1.5, "more": 1}, headers=key),
        "no idempotency key": lambda: client.post("/v1/purchases", json={}, headers={"Authorization": key["Authorization"]}),
        "no API key": lambda: client.get("/v1/purchases/p-1"),
        "unknown API key": lambda: client.get("/v1/purchases/p-1", headers={"Authorization": "Bearer a.b"}),
        "no permission": lambda: client.post("/v1/expiry-runs", json={}, headers=key),
        "a bad moment to wait for": lambda: client.post("/v1/purchases", json={}, headers={**key, "Prefer": "wait=x"}),
    }
    return {name: _shown(ask()) for name, ask in asked.items()}


def _shown(answer: Any) -> dict[str, Any]:
    shown = {"status": answer.status_code, "media_type": answer.headers["content-type"], **answer.json()}
    headers = {name: answer.headers[name] for name in ("WWW-Authenticate", "Retry-After") if name in answer.headers}
    return shown | ({"headers": headers} if headers else {})


def _signer_reasons() -> set[str]:
    """The texts that the reference signer's checks refuse entries with."""
    found = set()
    for source in Path(brand_signer.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SIGNER_REASON_CALLS:
                texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                found.update(text for text in texts if re.fullmatch(r"[a-z_]+", text))
    return found
