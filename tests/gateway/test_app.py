"""The composed gateway: made from settings alone, it starts without its node, says so, and keeps its first key."""

from __future__ import annotations

import stat
from pathlib import Path

from fastapi import FastAPI
from starlette.testclient import TestClient

from gateway.access.operator_api_key import ensure_operator_api_key
from gateway.api.context import Context
from gateway.app import build_api, prepare
from gateway.config import Settings, settings_of
from gateway.rounds.completion import Completions
from gateway.serving.bells import Bell
from gateway.serving.worker_process import DistantWorker


def build(settings: Settings) -> FastAPI:
    prepare(settings)
    return build_api(settings, Completions(), DistantWorker(Bell(), settings.data_dir))


def test_a_gateway_without_its_node_starts_and_asks_to_come_back(tmp_path: Path) -> None:
    settings = settings_of({"data_dir": tmp_path, "rpc_url": "http://127.0.0.1:9", "rpc_timeout_seconds": 1})
    app = build(settings)
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "not_ready"})
        token = settings.operator_api_key_file.read_text().strip()
        health = client.get("/v1/health", headers={"Authorization": f"Bearer {token}"})
        assert (health.status_code, health.json()["status"]) == (200, "uninitialized")
        brands = client.get("/v1/brands", headers={"Authorization": f"Bearer {token}"})
        assert (brands.status_code, brands.json()["code"]) == (503, "unavailable")
        assert "splittally init" in brands.json()["detail"]
    context: Context = app.state.context
    context.database.close()
    assert context.chain is not None
    context.chain.close()


def test_the_operators_first_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    settings = settings_of({"data_dir": tmp_path, "rpc_url": "http://127.0.0.1:9"})
    context: Context = build(settings).state.context
    file = settings.operator_api_key_file
    first = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ensure_operator_api_key(context.database, file)
    assert file.read_text() == first
    file.unlink()
    ensure_operator_api_key(context.database, file)
    assert file.read_text() != first
    context.database.close()
    assert context.chain is not None
    context.chain.close()
