"""A brand's agent as a brand runs it, a process, and the gateway's API that it calls: real, with its operations ended by hand."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import uvicorn
from sqlalchemy import select, update

from gateway.brand_agent.tills import OF_A_TILL, Scope, add_till
from gateway.rounds.tables import OperationRow
from tests.builders.brands import ROOT
from tests.builders.offline_coalition import COALITION_ID, POINTS_ADDRESS, START, OfflineCoalition

CHAIN_ID = 7_951


class ServedGateway:
    """The API of an offline coalition over HTTP; it can go away and come back on the same port."""

    def __init__(self, coalition: OfflineCoalition, tls: tuple[Path, Path] | None = None) -> None:
        """`tls`: certificate and key."""
        self.coalition = coalition
        self._tls = {} if tls is None else {"ssl_certfile": tls[0], "ssl_keyfile": tls[1]}
        self.port = free_port()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def start(self) -> None:
        if self._server is not None:
            return
        app: Any = self.coalition.client.app
        config = uvicorn.Config(app, port=self.port, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1, **self._tls)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            sleep(0.01)

    def stop(self) -> None:
        """What is under way is answered; connections are closed, so that nobody waits on one for an answer that does not come."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._server = None

    def confirm_all(self) -> None:
        """Ends every open operation, as the follower does once it stands on the ledger."""
        with self.coalition.database.write() as session:
            ended = {"status": "confirmed", "finished_at": START, "block_number": 1}
            session.execute(update(OperationRow).where(OperationRow.status == "accepted").values(**ended))

    def operations(self, kind: str) -> list[OperationRow]:
        with self.coalition.database.read() as session:
            return list(session.scalars(select(OperationRow).where(OperationRow.kind == kind)))


@dataclass
class AgentBuilder:
    """An agent that is started, killed and started again; its first till is `till-1`."""

    folder: Path
    port: int = 0
    tokens: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "agent.json"

    def prepare(self, gateway_url: str, api_key: str, **changes: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(json.dumps(agent_settings(self.port, gateway_url) | changes))
        for name, text in (("gateway_key", api_key), ("reference_secret", "01" * 32)):
            (self.folder / name).write_text(text + "\n")
            (self.folder / name).chmod(0o600)
        self.add_till("till-1")

    def add_till(self, name: str, *scopes: Scope) -> None:
        self.tokens[name] = add_till(self.folder / "tills.json", name, frozenset(scopes or OF_A_TILL))

    def configure(self, **section: Any) -> None:
        """More of the agent's section, from the next start on."""
        self.change("agent", **section)

    def change(self, section: str, **values: Any) -> None:
        """Settings of any section, from the next start on."""
        settings = json.loads(self.config.read_text())
        settings[section] |= values
        self.config.write_text(json.dumps(settings))

    def start(self) -> None:
        """The first start takes a free port, later ones the same again."""
        command = [sys.executable, "-m", "gateway.brand_agent", "--config", str(self.config)]
        with (self.folder / "agent.log").open("ab") as log:
            environment = {**os.environ, "PYTHONPATH": str(ROOT), **self.environment}
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=environment)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, (self.folder / "agent.log").read_text()
        self.port = int(line.rsplit(":", 1)[1])
        values = json.loads(self.config.read_text())
        values["listen"]["port"] = self.port
        self.config.write_text(json.dumps(values))

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def till(self, name: str = "till-1", token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token or self.tokens[name]}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=30, trust_env=False)


def agent_settings(port: int, gateway_url: str) -> dict[str, Any]:
    """Good settings of brand 1 of an offline coalition."""
    ledger = {
        "coalition_id": COALITION_ID,
        "chain_id": CHAIN_ID,
        "points_address": POINTS_ADDRESS,
        "utc_offset_seconds": 0,
        "sandbox": True,
    }
    rule = {"version": 1, "points": 1, "per_minor": 100, "valid_from": 0}
    programme = {"rules": [rule], "earn_on_tax": False, "lot_validity_months": 12, "unlisted_points_max": 0}
    agent = {"gateway_url": gateway_url, "pass_seconds": 3}
    return {
        "brand_id": 1,
        "listen": {"host": "127.0.0.1", "port": port},
        "coalition": ledger,
        "programme": programme,
        "agent": agent,
    }


def await_answer(client: httpx.Client, path: str, status: int = 200, seconds: float = 60) -> Mapping[str, Any]:
    until = monotonic() + seconds
    while True:
        answer = client.get(path)
        if answer.status_code == status:
            found: dict[str, Any] = answer.json()
            return found
        assert monotonic() < until, f"{path} stands at {answer.status_code}: {answer.text}"
        sleep(0.05)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
