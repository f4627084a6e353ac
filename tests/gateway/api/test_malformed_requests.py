"""What is no good request at all: malformed JSON, huge bodies, odd numbers. Each has problem details and leaves no trace."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from gateway.api.limits import BULK_LIMIT, DEFAULT_LIMIT
from gateway.api.readiness import KNOWN_SECONDS
from gateway.app import create_app
from tests.builders.offline_coalition import OfflineCoalition, purchase_body

MALFORMED = {
    "nothing": b"",
    "half an object": b'{"payment_id": "p"',
    "no JSON": b"payment_id=p",
    "two values": b"{} {}",
    "bad text": b'{"payment_id": "\xff"}',
    "a huge number": b'{"gross_minor": ' + b"9" * 5_000 + b"}",
    "deep nesting": b"[" * 100_000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_json_is_refused(coalition: OfflineCoalition, body: bytes) -> None:
    coalition.brand(1)
    headers = {"Authorization": f"Bearer {coalition.tokens['brand:1']}", "Idempotency-Key": "k", "Content-Type": "application/json"}
    with coalition.no_trace():
        for path in ("/v1/purchases", "/v1/purchases/bulk", "/v1/redemptions"):
            answer = coalition.client.post(path, content=body, headers=headers)
            assert answer.status_code in (400, 422), answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] in ("malformed_json", "invalid")


@pytest.mark.parametrize("body", ["[]", "null", '"text"', "7", "{}", '{"purchases": {}}'])
def test_json_of_another_shape_is_refused(coalition: OfflineCoalition, body: str) -> None:
    coalition.brand(1)
    headers = {"Authorization": f"Bearer {coalition.tokens['brand:1']}", "Idempotency-Key": "k", "Content-Type": "application/json"}
    with coalition.no_trace():
        answer = coalition.client.post("/v1/purchases/bulk", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_a_body_of_another_media_type_is_refused(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    headers = {"Authorization": f"Bearer {coalition.tokens['brand:1']}", "Idempotency-Key": "k", "Content-Type": "text/plain"}
    with coalition.no_trace():
        assert coalition.client.post("/v1/purchases", content="{}", headers=headers).status_code == 422


def test_a_body_above_the_bound_is_refused_declared_or_not(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    headers = {"Authorization": f"Bearer {coalition.tokens['brand:1']}", "Idempotency-Key": "k", "Content-Type": "application/json"}

    def trickle() -> Iterator[bytes]:
        for _ in range(DEFAULT_LIMIT // 1_000 + 2):
            yield b" " * 1_000

    with coalition.no_trace():
        for path, content in (
            ("/v1/purchases", b" " * (DEFAULT_LIMIT + 1)),
            ("/v1/purchases/bulk", b" " * (BULK_LIMIT + 1)),
            ("/v1/purchases", trickle()),
        ):
            answer = coalition.client.post(path, content=content, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("path", ["/v1/purchases", "/v1/purchases/bulk"])
def test_all_fields_that_are_wrong_are_named(coalition: OfflineCoalition, path: str) -> None:
    coalition.brand(1)
    wrong = {"payment_id": "", "currency": "usd", "gross_minor": -1, "speed": 1}
    answer = coalition.post("brand:1", path, {"purchases": [wrong]} if path.endswith("bulk") else wrong).json()
    found = answer["results"][0]["problem"] if path.endswith("bulk") else answer
    assert all(f"{field}: " in found["detail"] for field in ("payment_id", "currency", "gross_minor")), found
    assert found["detail"].endswith("; and 1 more"), found["detail"]
    told = {each["field"].removeprefix("body.") for each in found["facts"]["errors"]}
    assert told >= {"payment_id", "currency", "gross_minor", "occurred_at", "business_date", "speed"}


def test_unknown_paths_and_methods_have_problem_details(coalition: OfflineCoalition) -> None:
    assert coalition.get("operator", "/v1/nothing").json()["code"] == "unknown_route"
    answer = coalition.call("operator", "PUT", "/v1/brands")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/brands/0",
        "/v1/brands/one",
        "/v1/brands/99999999999999999999",
        "/v1/members/0x12/points",
        f"/v1/members/0x{'11' * 20}/points?at_block=-1",
        f"/v1/members/0x{'11' * 20}/points?at_block=1_0",
        f"/v1/members/0x{'11' * 20}/history?limit=201",
        f"/v1/members/0x{'11' * 20}/history?cursor=AAAA",
        "/v1/operations?cursor=%FF",
        "/v1/operations?status=done",
        "/v1/authorizations/0x12",
    ],
)
def test_bad_ids_and_queries_are_refused(coalition: OfflineCoalition, path: str) -> None:
    answer = coalition.get("operator", path)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text


def test_before_initialization_everything_asks_to_come_back(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    with coalition.database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM coalition")
    answer = coalition.post("brand:1", "/v1/purchases", purchase_body())
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert coalition.get("operator", "/v1/health").json()["status"] == "uninitialized"
    time.sleep(KNOWN_SECONDS)
    assert (coalition.client.get("/readyz").status_code, coalition.client.get("/healthz").status_code) == (503, 200)


def test_a_fault_is_told_without_its_inside_and_leaves_no_trace(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    member_id = coalition.shopper().member_id
    with coalition.database.write() as session:
        session.connection().exec_driver_sql("ALTER TABLE purchase_lines RENAME TO gone")
    client = TestClient(create_app(coalition.context), base_url="http://localhost", raise_server_exceptions=False)
    headers = {"Authorization": f"Bearer {coalition.tokens['brand:1']}", "Idempotency-Key": "k"}
    answer = client.post("/v1/purchases", json=purchase_body(member_id=member_id), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "fault")
    assert "purchase_lines" not in answer.text
    with coalition.database.write() as session:
        session.connection().exec_driver_sql("ALTER TABLE gone RENAME TO purchase_lines")
    counts = coalition.row_counts()
    assert (counts["purchases"], counts["entry_references"]) == (0, 0)
