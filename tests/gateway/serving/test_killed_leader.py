"""Two gateways serve one PostgreSQL database and whichever leads is killed under load: the other takes over, nothing is lost or doubled."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from gateway.access.api_key import Role
from gateway.access.create_api_key import create_api_key
from gateway.access.rows import SqlApiKeys
from gateway.brand_signer.register_writer import sale_record
from gateway.coalition.rows import business_clock
from gateway.projection.tables import LedgerEntryRow
from gateway.store.unit_of_work import writing
from tests.builders.coalition import CoalitionBuilder, new_id, running_coalition
from tests.builders.lot_acts import failing_invariants
from tests.builders.served_gateway import bearer, children_of
from tests.node.running_node import ROOT
from tests.on_postgresql import SERVER

pytestmark = pytest.mark.skipif(not SERVER, reason="on SQLite a database has one gateway, which the lock of its data directory sees to")

KILLS = 3
PAUSE_SECONDS = 0.1
TAKEN_OVER_WITHIN = 30.0  # of a machine that does much else; the lease is over after 3


@dataclass
class Gateway:
    """One of the two, with a data directory of its own."""

    coalition: CoalitionBuilder
    folder: Path
    process: subprocess.Popen[str] | None = None
    url: str = ""

    def start(self) -> None:
        settings = self.coalition.settings
        if not self.folder.exists():
            shutil.copytree(settings.data_dir, self.folder, ignore=shutil.ignore_patterns("*.lock", "worker-state*"))
        given = {name: value for name, value in settings.model_dump(mode="json").items() if value is not None}
        given["data_dir"] = str(self.folder)
        told = {f"SPLITTALLY_{name.upper()}": value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
        with self.folder.with_suffix(".log").open("a") as log:
            serve = [sys.executable, "-m", "gateway", "serve", "--port", "0", "--json"]
            self.process = subprocess.Popen(serve, cwd=ROOT, env={**os.environ, **told}, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        self.url = json.loads(self.process.stdout.readline())["url"]

    def kill(self) -> None:
        """Parent, worker and who answers requests, at once."""
        assert self.process is not None
        for pid in (self.process.pid, *children_of(self.process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.communicate()
        self.process = None

    def leads(self, token: str) -> bool:
        with suppress(httpx.TransportError):
            told = httpx.get(f"{self.url}/v1/health", headers=bearer(token), timeout=5, trust_env=False).json()
            return (told["worker"] or {}).get("state") in ("idle", "working")
        return False


@dataclass
class Tills:
    """Tell a sale every tenth of a second, to the one gateway and the other; what is not answered is told again, to the other."""

    coalition: CoalitionBuilder
    gateways: list[Gateway]
    token: str
    over: threading.Event = field(default_factory=threading.Event)
    taken: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def work(self) -> None:
        members = [str(member) for member in self.coalition.member_keys]
        while not self.over.wait(PAUSE_SECONDS):
            at = datetime.fromtimestamp(self.coalition.now, UTC)
            payment_id, member_id = new_id("sale"), members[len(self.taken) % len(members)]
            self.coalition.brands[1].till(sale_record(payment_id, member_id, at, 1_000, 0, 0))
            when = {"occurred_at": at.isoformat(), "business_date": str(at.date())}
            self._tell({"payment_id": payment_id, "member_id": member_id, "currency": "USD", "gross_minor": 1_000, **when})

    def _tell(self, sale: dict[str, Any]) -> None:
        headers = {**bearer(self.token), "Idempotency-Key": new_id("key")}
        for attempt in range(600):
            with suppress(httpx.TransportError):
                url = self.gateways[(len(self.taken) + attempt) % 2].url
                answer = httpx.post(f"{url}/v1/purchases", json=sale, headers=headers, timeout=10, trust_env=False)
                if answer.status_code in (200, 201, 202):
                    self.taken.append(sale["payment_id"])
                    return
                if answer.status_code not in (409, 429, 503):
                    self.troubles.append(answer.text)
                    return
            time.sleep(0.05)
        self.troubles.append("nobody took a sale")


@contextmanager
def two_gateways(coalition: CoalitionBuilder) -> Iterator[list[Gateway]]:
    coalition.worker.close()
    gateways = [Gateway(coalition, coalition.folder / name) for name in ("one", "other")]
    try:
        for each in gateways:
            each.start()
        yield gateways
    finally:
        for each in gateways:
            if each.process is not None:
                each.kill()


def tokens(coalition: CoalitionBuilder) -> tuple[str, str]:
    """The operator's and the brand's."""
    with writing(coalition.database, business_clock()) as work:
        made = [
            create_api_key(new_id("key"), new_id("secret"), role, brand_id, "test", api_keys=work.of(SqlApiKeys), now=work.now)[1]
            for role, brand_id in ((Role.OPERATOR, None), (Role.BRAND, 1))
        ]
    return made[0], made[1]


def who_leads(gateways: list[Gateway], operator: str) -> Gateway:
    until = time.monotonic() + TAKEN_OVER_WITHIN
    while True:
        for each in gateways:
            if each.process is not None and each.leads(operator):
                return each
        assert time.monotonic() < until, "nobody leads"
        time.sleep(0.02)


def issued(coalition: CoalitionBuilder) -> tuple[int, int]:
    """(issues on the ledger, references that they stand under)"""
    entry = LedgerEntryRow
    counted = select(func.count(), func.count(func.distinct(entry.reference))).where(entry.kind == "issue", entry.refused_reason.is_(None))
    with coalition.database.read() as session:
        count, distinct = session.execute(counted).one()
    return count, distinct


def test_whoever_leads_is_killed_and_the_other_goes_on(tmp_path: Path) -> None:
    with running_coalition(tmp_path, brand_ids=(1,), members=4, not_yet_seconds=600) as coalition:
        operator, brand = tokens(coalition)
        with two_gateways(coalition) as gateways:
            tills = Tills(coalition, gateways, brand)
            selling = threading.Thread(target=tills.work)
            selling.start()
            took = []
            for _ in range(KILLS):
                time.sleep(1.0)
                leader = who_leads(gateways, operator)
                leader.kill()
                began = time.monotonic()
                assert who_leads(gateways, operator) is not leader
                took.append(time.monotonic() - began)
                leader.start()
            tills.over.set()
            selling.join()
            assert tills.troubles == []
            until = time.monotonic() + 120
            while issued(coalition)[0] < len(tills.taken):
                assert time.monotonic() < until, f"{issued(coalition)} of {len(tills.taken)} are on the ledger"
                time.sleep(0.1)
        assert issued(coalition) == (len(tills.taken), len(tills.taken))
        coalition.restart_worker()
        coalition.work_off()
        assert failing_invariants(coalition) == {}
        print(f"{len(tills.taken)} sales; taken over after {', '.join(f'{seconds:.1f}' for seconds in took)} s")
