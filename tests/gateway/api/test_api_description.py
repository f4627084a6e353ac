"""The OpenAPI description: stable operation ids, every refusal declared, and every reference resolves."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gateway.api.door.entrance import OPEN_TO_READ
from tests.builders.offline_coalition import OfflineCoalition


@pytest.fixture
def description(coalition: OfflineCoalition) -> dict[str, Any]:
    found: dict[str, Any] = coalition.client.get("/openapi.json").json()
    return found


def _operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, operation) for path, methods in description["paths"].items() for method, operation in methods.items()]


STORING_NOTHING = ("/v1/quotes", "/v1/transfer-quotes", "/v1/members/{member_id}/view-links", "/v1/brands/{brand_id}/signer-probe")


def test_operation_ids_are_unique_names(description: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in _operations(description)]
    assert len(ids) == len(set(ids))
    assert {"create_purchase", "create_quote", "get_member_points", "create_capture"} <= set(ids)
    assert all(re.fullmatch(r"[a-z_]+", one) for one in ids)


def test_every_write_declares_what_may_go_wrong(description: dict[str, Any]) -> None:
    for path, method, operation in _operations(description):
        if path.startswith("/v1/") and not (path in OPEN_TO_READ and method == "get"):
            due = {"401", "403"} | ({"400", "413", "422"} if method == "post" else set())
            due |= {"409"} if method == "post" and path not in STORING_NOTHING else set()
            assert due <= set(operation["responses"]), (path, method)


def test_every_refusal_is_described_as_problem_details(description: dict[str, Any]) -> None:
    for path, _, operation in _operations(description):
        for status, answer in operation["responses"].items():
            if path.startswith("/v1/") and int(status) >= 400 and "content" in answer:
                assert set(answer["content"]) == {"application/problem+json"}, (path, status)


def test_every_reference_resolves(description: dict[str, Any]) -> None:
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(description)))
    assert names <= set(description["components"]["schemas"])


def test_every_route_says_what_it_does(description: dict[str, Any]) -> None:
    for path, method, operation in _operations(description):
        assert operation.get("description"), (path, method)


def test_every_write_asks_for_an_idempotency_key(description: dict[str, Any]) -> None:
    for path, method, operation in _operations(description):
        names = {parameter["name"] for parameter in operation.get("parameters", [])}
        stores_nothing = path in STORING_NOTHING
        assert ("Idempotency-Key" in names or "idempotency-key" in names) == (method in ("post", "delete") and not stores_nothing), path
