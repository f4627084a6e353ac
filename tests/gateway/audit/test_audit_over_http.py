"""Receipts and the audit over HTTP: who may ask, what is answered, and the problem when there is nothing to show."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from gateway.access.api_key import Role
from gateway.access.create_api_key import create_api_key
from gateway.access.rows import SqlApiKeys
from gateway.api.context import Context
from gateway.app import create_app
from gateway.coalition.rows import business_clock
from gateway.store.session import Database
from gateway.store.unit_of_work import writing
from scripts.verify_receipt import Trust, verify
from tests.gateway.audit.live_ledger import FUEL, GROCER, START, LiveLedger


@pytest.fixture
def api(honest: LiveLedger, copy: Database) -> TestClient:
    return TestClient(create_app(Context(copy, chain=honest.chain, clock=lambda: START)), base_url="http://localhost")


@pytest.fixture
def tokens(copy: Database) -> dict[str, dict[str, str]]:
    """Authorization headers by role."""
    keys: dict[str, dict[str, str]] = {}
    for name, role, brand_id in (("operator", Role.OPERATOR, None), ("auditor", Role.AUDITOR, None), ("fuel", Role.BRAND, FUEL)):
        with writing(copy, business_clock()) as work:
            token = create_api_key(name, f"secret of {name}", role, brand_id, "test", api_keys=work.of(SqlApiKeys), now=START)[1]
        keys[name] = {"Authorization": f"Bearer {token}"}
    return keys


def trust(ledger: LiveLedger) -> Trust:
    ready = ledger.node.ready
    assert ready is not None
    return Trust(bytes.fromhex(ready["genesis_hash"][2:]), bytes.fromhex(ready["sealer"][2:]), ledger.address)


def operation_of(ledger: LiveLedger, kind: str, brand: int) -> str:
    with ledger.database.read() as session:
        found = session.execute(
            text("SELECT operation_id FROM operations WHERE kind = :kind AND brand_id = :brand AND status = 'confirmed'"),
            {"kind": kind, "brand": brand},
        )
        return str(found.scalars().first())


def test_a_brand_gets_the_receipts_of_its_own_operations_only(
    honest: LiveLedger, api: TestClient, tokens: dict[str, dict[str, str]]
) -> None:
    own = api.get(f"/v1/operations/{operation_of(honest, 'capture', FUEL)}/receipt", headers=tokens["fuel"])
    assert own.status_code == 200
    assert verify(json.dumps(own.json()), trust(honest))["entry"]["kind"] == "capture"
    others = api.get(f"/v1/operations/{operation_of(honest, 'issue', GROCER)}/receipt", headers=tokens["fuel"])
    assert (others.status_code, others.json()["code"]) == (404, "not_found")


def test_the_receipt_of_points_is_given_at_a_past_block_and_not_at_one_to_come(
    honest: LiveLedger, api: TestClient, tokens: dict[str, dict[str, str]]
) -> None:
    member = str(honest.members["ben"])
    now = api.get(f"/v1/members/{member}/receipt", headers=tokens["auditor"])
    assert verify(json.dumps(now.json()), trust(honest), may_omit=True)["held_total"] == 0
    head = now.json()["block"]["number"]
    then = api.get(f"/v1/members/{member}/receipt?block={honest.before_expiry}", headers=tokens["auditor"])
    assert verify(json.dumps(then.json()), trust(honest), brands=(GROCER, FUEL))["held_total"] == 30
    assert api.get(f"/v1/members/{member}/receipt?block={head + 1}", headers=tokens["auditor"]).status_code == 404
    assert api.get(f"/v1/members/{member}/receipt?block=-1", headers=tokens["auditor"]).status_code == 422
    assert api.get("/v1/members/0x12/receipt", headers=tokens["auditor"]).status_code == 422
    assert api.get(f"/v1/members/{member}/receipt").status_code == 401


def test_the_auditor_audits_and_a_brand_may_not(api: TestClient, tokens: dict[str, dict[str, str]]) -> None:
    answer = api.get("/v1/audit", headers=tokens["auditor"])
    assert answer.status_code == 200
    assert set(answer.json()["invariants"].values()) == {"ok"}
    assert list(api.get("/v1/audit?invariant=3", headers=tokens["operator"]).json()["invariants"]) == ["3"]
    assert api.get("/v1/audit?invariant=14", headers=tokens["operator"]).json()["code"] == "invalid"
    assert api.get("/v1/audit", headers=tokens["fuel"]).status_code == 403


def test_without_a_node_there_are_no_proofs(copy: Database, tokens: dict[str, dict[str, str]]) -> None:
    api = TestClient(create_app(Context(copy)), base_url="http://localhost")
    assert api.get("/v1/audit", headers=tokens["operator"]).status_code == 503
    assert api.get("/v1/members/0x" + "00" * 20 + "/receipt", headers=tokens["operator"]).status_code == 503
