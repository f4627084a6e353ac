"""A brand's whole side and its gateway as processes over a real ledger: node, gateway, agent, and a till that calls it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
from eth_account import Account
from sqlalchemy import update

from gateway.access.api_key import Role
from gateway.access.create_api_key import create_api_key
from gateway.access.rows import SqlApiKeys
from gateway.bodies.redemption import ConsentBody
from gateway.brand_agent.orders import reservation_id_for
from gateway.brands.tables import BrandRow
from gateway.coalition.rows import business_clock
from gateway.secret_files import make_secret
from gateway.store.unit_of_work import writing
from gateway.values.ids import Hash
from tests.builders.agents import AgentBuilder, await_answer, free_port
from tests.builders.brands import ROOT
from tests.builders.coalition import CoalitionBuilder, running_coalition


@dataclass
class ServedShop:
    """Gateway and agent as processes over a real ledger."""

    coalition: CoalitionBuilder
    agent: AgentBuilder
    port: int
    process: subprocess.Popen[bytes] | None = None
    told: list[str] = field(default_factory=list)

    @property
    def database(self) -> Path:
        return Path(str(self.coalition.database.engine.url.database))

    @property
    def member(self) -> str:
        return str(next(iter(self.coalition.member_keys)))

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "gateway", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        settings = self.coalition.settings
        given = {"data_dir": settings.data_dir, "database_url": f"sqlite:///{self.database}", "rpc_url": settings.rpc_url}
        given |= {"sandbox": True, "member_delay_seconds": 0}
        return {**os.environ, "PYTHONPATH": str(ROOT), **{f"SPLITTALLY_{name.upper()}": str(value) for name, value in given.items()}}

    def start(self) -> None:
        with (self.coalition.folder / "gateway.log").open("ab") as log:
            serve = self.command("serve", "--port", str(self.port))
            self.process = subprocess.Popen(serve, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        until = monotonic() + 180
        while True:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz", trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert monotonic() < until, (self.coalition.folder / "gateway.log").read_text()
            sleep(0.1)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def back_up(self, to: Path) -> None:
        with closing(sqlite3.connect(self.database)) as source, closing(sqlite3.connect(to)) as target:
            source.backup(target)

    def restore(self, backup: Path) -> None:
        self.stop()
        for name in ("", "-wal", "-shm"):
            self.database.with_name(self.database.name + name).unlink(missing_ok=True)
        self.database.touch(mode=0o600)
        self.back_up_file(backup, self.database)
        self.start()

    @staticmethod
    def back_up_file(source: Path, target: Path) -> None:
        with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
            one.backup(other)

    # The till

    def when(self) -> dict[str, str]:
        at = datetime.fromtimestamp(self.coalition.now, UTC)
        return {"occurred_at": at.isoformat(), "business_date": at.date().isoformat()}

    def tell(self, path: str, body: dict[str, Any], shown: str | None = None) -> None:
        with self.agent.till() as till:
            answer = till.post(path, json=body)
        assert answer.status_code == 202, answer.text
        if shown is not None:
            self.told.append(shown)

    def sell(self, *payment_ids: str) -> None:
        for one in payment_ids:
            sale = {"payment_id": one, "member_id": self.member, "currency": "USD", "gross_minor": 10_000, **self.when()}
            self.tell("/v1/purchases", sale, f"/v1/purchases/{one}")

    def refund(self, refund_id: str, payment_id: str) -> None:
        body = {"refund_id": refund_id, "payment_id": payment_id, "amount_minor": 2_500, **self.when()}
        self.tell("/v1/payment-refunds", body, f"/v1/payment-refunds/{refund_id}")

    def authorize(self, order_id: str, points: int) -> str:
        """The reservation's id, once it stands on the ledger."""
        key = next(iter(self.coalition.member_keys.values()))
        order = {"order_id": order_id, "member_id": self.member, "points": points, "order_hash": "0x" + bytes(32).hex(), "nonce": points}
        body = {**order, "discount_minor": points, "deadline": self.coalition.now + 3_600, "proof_kind": 1}
        with self.agent.till() as till:
            digest = _digest_of(self, body)
            body["proof"] = "0x" + bytes(Account.unsafe_sign_hash(digest, key.key).signature).hex()
            asked = till.post("/v1/authorizations", json=body, headers={"Prefer": "wait=20"})
        assert asked.status_code in (200, 201), asked.text
        return str(asked.json()["authorization"]["reservation_id"])

    def ended(self) -> dict[str, Any]:
        with self.agent.till() as till:
            return {one: await_answer(till, one) for one in self.told}

    def all_quiet(self) -> None:
        """Nothing waits at the agent any more."""
        until = monotonic() + 180
        with self.agent.till() as till:
            while sum((stands := till.get("/v1/status").json())["waiting"].values()):
                assert monotonic() < until, stands
                sleep(0.1)
        assert stands["refused"] == 0, stands

    def audit(self) -> dict[str, Any]:
        done = subprocess.run(self.command("audit", "--json"), cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def counted(self) -> dict[str, int]:
        """Accepted entries on the ledger by kind; none of them under a reference that another has."""
        with closing(sqlite3.connect(self.database)) as database:
            kinds = dict(database.execute("SELECT kind, count(*) FROM ledger_entries WHERE refused_reason IS NULL GROUP BY kind"))
            every = "SELECT count(*), count(DISTINCT hex(reference)) FROM ledger_entries WHERE refused_reason IS NULL"
            count, distinct = database.execute(every).fetchone()
        assert count == distinct
        return kinds


def _digest_of(shop: ServedShop, body: dict[str, Any]) -> Hash:
    secret, domain = shop.coalition.brands[1].reference_secret, shop.coalition.coalition.signing_domain
    return reservation_id_for(ConsentBody(**body, proof="0x" + "00" * 65), domain, 1, secret)


@contextmanager
def served_shop(folder: Path, brand_ids: tuple[int, ...] = (1,), **agent_settings: Any) -> Iterator[ServedShop]:
    """The shop is brand 1's; `agent_settings`: more of its agent's section."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_coalition(folder, brand_ids, 1) as coalition:
        port = free_port()
        agent = agent_of(coalition, 1, port, **agent_settings)
        with writing(coalition.database, business_clock()) as work:
            work.session.execute(update(BrandRow).values(carries_clawbacks=False))
        coalition.worker.close()
        running = ServedShop(coalition, agent, port)
        running.start()
        agent.start()
        try:
            yield running
        finally:
            agent.kill()
            running.stop()


def agent_of(coalition: CoalitionBuilder, brand_id: int, gateway_port: int, **agent_settings: Any) -> AgentBuilder:
    """In the place of the brand's signer, which is stopped; not started yet."""
    brand = coalition.brands[brand_id]
    brand.stop()
    settings = json.loads((brand.folder / "signer.json").read_text())
    settings["agent"] = {"gateway_url": f"http://127.0.0.1:{gateway_port}"} | agent_settings
    agent = AgentBuilder(brand.folder, brand.port)
    agent.config.write_text(json.dumps(settings))
    agent.add_till("till-1")
    with writing(coalition.database, business_clock()) as work:
        named = f"brand-{brand_id}", f"secret-{brand_id}", Role.BRAND, brand_id, "test"
        made = create_api_key(*named, api_keys=work.of(SqlApiKeys), now=work.now)
    make_secret(brand.folder / "gateway_key", made[1])
    return agent
