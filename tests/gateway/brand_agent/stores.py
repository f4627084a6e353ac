"""A store's agent before the brand's, as a process, made by the command that a brand runs."""

from __future__ import annotations

import itertools
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from tests.builders.agents import AgentBuilder
from tests.builders.brands import ROOT
from tests.gateway.brand_agent.conftest import Shop

_orders = itertools.count(1)


@dataclass
class Store:
    """A store's agent before the brand's."""

    shop: Shop
    agent: AgentBuilder

    def ended(self, *paths: str) -> list[Any]:
        """How these stand at the store once all have ended; the ledger confirms whatever arrives meanwhile."""
        found = []
        with self.agent.till() as till:
            for path in paths:
                until = monotonic() + 40
                while (answer := till.get(path)).status_code != 200:
                    assert monotonic() < until, answer.text
                    self.shop.gateway.confirm_all()
                    sleep(0.05)
                found.append(answer.json())
        return found

    def status(self, reached: Any, seconds: float = 20) -> Mapping[str, Any]:
        with self.agent.till() as till:
            until = monotonic() + seconds
            while not reached(told := till.get("/v1/status").json()):
                assert monotonic() < until, json.dumps(told)
                sleep(0.1)
        found: Mapping[str, Any] = told
        return found

    @contextmanager
    def brands_agent_restored(self) -> Iterator[None]:
        """What is done within this is in no backup of the brand's agent, which is put back from one at the end."""
        agent = self.shop.agent
        agent.kill()
        backup = {path: path.read_bytes() for path in agent.folder.iterdir() if path.is_file()}
        agent.start()
        yield
        agent.kill()
        for path in agent.folder.glob("agent.sqlite*"):
            path.unlink()
        for path, content in backup.items():
            path.write_bytes(content)
        agent.start()
        sleep(1.1)  # of the silence after which an agent is asked what it knows

    def moved(self, url: str) -> None:
        self.agent.kill()
        with closing(sqlite3.connect(self.agent.folder / "agent.sqlite")) as journal, journal:
            journal.execute("UPDATE items SET not_before = 0")
        self.agent.configure(upstream_url=url)
        self.agent.start()


def added(shop: Shop, name: str, folder: Path, *more: str) -> None:
    url = f"http://127.0.0.1:{shop.agent.port}"
    command = [sys.executable, "-m", "gateway.brand_agent", "store", "add", name, "--config", str(shop.agent.config)]
    command += ["--dir", str(folder), "--upstream", url, "--listen", "127.0.0.1:0", *more]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


@contextmanager
def stored(shop: Shop, folder: Path, *more: str, name: str = "store-1") -> Iterator[Store]:
    agent = AgentBuilder(folder)
    added(shop, name, folder, *more)
    agent.add_till("till-1")
    agent.start()
    try:
        yield Store(shop, agent)
    finally:
        agent.kill()


def consent_at(store: Store) -> dict[str, Any]:
    coalition = store.shop.gateway.coalition
    coalition.put_points(store.shop.member.member_id, 10_000)
    found: dict[str, Any] = coalition.consent(store.shop.member, 1, 100, f"so-{next(_orders)}")
    return found


def issues_of(store: Store) -> Counter[str]:
    return Counter(json.loads(row.body)["payment_id"] for row in store.shop.gateway.operations("issue"))
