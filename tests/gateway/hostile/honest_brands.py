"""Four honest brands at work beside an attacker: a served gateway on a real ledger, and purchases that come whether or not it keeps up."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import func, select

from gateway.access.api_key import Role
from gateway.access.create_api_key import create_api_key
from gateway.access.rows import SqlApiKeys
from gateway.brand_signer.register_writer import RegisterWriter, sale_record
from gateway.coalition.rows import business_clock
from gateway.rounds.tables import OperationRow
from gateway.store.unit_of_work import writing
from tests.builders.coalition import CoalitionBuilder, new_id
from tests.builders.served_gateway import largest_status
from tests.node.running_node import ROOT

HONEST = (2, 3, 4, 5)
ATTACKER = 1
MOST_MB = 500


@dataclass
class Told:
    """What came of the honest brands' purchases: seconds from when each was due to its answer, and who got none."""

    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def p99(self) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)] if self.seconds else float("inf")


@dataclass
class AttackedGateway:
    """`tokens` by brand. The gateway's processes are children of `process`."""

    coalition: CoalitionBuilder
    process: subprocess.Popen[str]
    url: str
    tokens: Mapping[int, str]

    def work(self, each_per_second: float, seconds: float) -> Told:
        """Every honest brand's tills tell so many sales a second, at set moments."""
        return asyncio.run(self._work(each_per_second, seconds))

    async def _work(self, rate: float, seconds: float) -> Told:
        told, members = Told(), [str(member) for member in self.coalition.member_keys]
        registers = {brand: RegisterWriter(self.coalition.brands[brand].folder / "sales.jsonl") for brand in HONEST}
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
        async with httpx.AsyncClient(base_url=self.url, timeout=60, trust_env=False, limits=limits) as client:
            began, calls = time.monotonic(), []
            for number in range(int(rate * seconds) * len(HONEST)):
                brand = HONEST[number % len(HONEST)]
                due = began + number / (rate * len(HONEST))
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                body = self.sale(members[number % len(members)])
                at = datetime.fromisoformat(body["occurred_at"])
                registers[brand].append([sale_record(body["payment_id"], body["member_id"], at, body["gross_minor"], 0, 0)])
                calls.append(asyncio.create_task(self._tell(client, brand, body, due, told)))
            await asyncio.gather(*calls)
        for register in registers.values():
            register.close()
        return told

    async def _tell(self, client: httpx.AsyncClient, brand: int, body: Mapping[str, Any], due: float, told: Told) -> None:
        try:
            answer = await client.post("/v1/purchases", json=body, headers=self.headers(brand))
        except httpx.TransportError as error:
            told.failed.append(repr(error))
            return
        if answer.status_code in (201, 202):
            told.seconds.append(time.monotonic() - due)
        else:
            told.failed.append(f"{answer.status_code} {answer.text[:200]}")

    def sale(self, member: str) -> dict[str, Any]:
        at = datetime.fromtimestamp(self.coalition.now, UTC)
        money = {"currency": "USD", "gross_minor": 1_000}
        return {
            "payment_id": new_id("honest"),
            "member_id": member,
            **money,
            "occurred_at": at.isoformat(),
            "business_date": str(at.date()),
        }

    def headers(self, brand: int) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[brand]}", "Idempotency-Key": new_id("key")}

    def confirmed(self) -> tuple[int, int]:
        """(the honest brands' issues on the ledger, all that they asked for)"""
        issues = select(func.count()).where(OperationRow.brand_id.in_(HONEST), OperationRow.kind == "issue")
        with self.coalition.database.read() as session:
            done = session.scalar(issues.where(OperationRow.status == "confirmed")) or 0
            return done, session.scalar(issues) or 0

    def redeemed(self, brand: int) -> int:
        """How many of the brand's redemptions went through a round and are on the ledger."""
        ours = (OperationRow.brand_id == brand, OperationRow.kind == "redeem", OperationRow.status == "confirmed")
        with self.coalition.database.read() as session:
            return session.scalar(select(func.count()).where(*ours)) or 0

    def await_confirmed(self, least: float, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while self.confirmed()[0] < least:
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        return True

    def memory_mb(self) -> float:
        """Of the largest of the gateway's processes, at most so far."""
        return largest_status(self.process.pid, "VmHWM") / 1024


@contextmanager
def attacked_gateway(coalition: CoalitionBuilder) -> Iterator[AttackedGateway]:
    """Serves the coalition in place of the builder's own worker."""
    coalition.worker.close()
    with writing(coalition.database, business_clock()) as work:
        tokens = {
            brand: create_api_key(new_id("key"), new_id("secret"), Role.BRAND, brand, "test", api_keys=work.of(SqlApiKeys), now=work.now)[1]
            for brand in (ATTACKER, *HONEST)
        }
    process, url = start(coalition)
    try:
        yield AttackedGateway(coalition, process, url, tokens)
    finally:
        stop(process)


def start(coalition: CoalitionBuilder) -> tuple[subprocess.Popen[str], str]:
    given = {name: value for name, value in coalition.settings.model_dump(mode="json").items() if value is not None}
    variables = {f"SPLITTALLY_{name.upper()}": value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    command = [sys.executable, "-m", "gateway", "serve", "--port", "0", "--json"]
    log = (coalition.folder / "served.log").open("a")
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=log, text=True)
    log.close()
    assert process.stdout is not None
    url = json.loads(process.stdout.readline())["url"]
    _await(lambda: httpx.get(f"{url}/readyz", timeout=5).status_code == 200)
    return process, url


def stop(process: subprocess.Popen[str]) -> float:
    """How long it took to end."""
    began = time.monotonic()
    if process.poll() is not None:
        return 0.0
    process.terminate()
    process.communicate(timeout=60)
    return time.monotonic() - began


def _await(reached: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            if reached():
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < until
        time.sleep(0.05)
