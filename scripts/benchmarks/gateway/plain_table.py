"""The baseline under the same loads: the same bodies, calls and connections, to a program that only keeps a table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import create_engine, text

from scripts.benchmarks.gateway.databases import first_process
from scripts.benchmarks.gateway.state import MEMBERS_FILE, Size
from scripts.benchmarks.gateway.task import Seller, Task
from scripts.benchmarks.json_rpc import free_port
from scripts.demo.processes import Supervisor
from scripts.postgresql import PostgresServer

NOT_IN_A_TABLE = ("single_call", "redeem", "read_while_writing")  # what has no meaning without agents and consents
_EARLIER = """
INSERT INTO accounts SELECT 'm' || number, 0 FROM generate_series(1, :members) number;
INSERT INTO purchases SELECT 'e' || number, 'm' || (1 + number % :members), 6000 FROM generate_series(1, :purchases) number;
INSERT INTO postings (reference, account, points) SELECT payment_id, member_id, 60 FROM purchases;
INSERT INTO postings (reference, account, points) SELECT payment_id, 'brands', -60 FROM purchases;
"""


@dataclass
class PlainTable:
    root: Path
    size: Size
    port: int
    pids: dict[str, int]
    runs: int = 0
    redeemed: int = 0

    @property
    def folder(self) -> Path:
        return self.root / "loads"

    def leaders(self) -> dict[str, int]:
        return self.pids

    def restarted(self) -> list[str]:
        return []

    def settle(self) -> None:
        """Nothing waits."""

    def task(self, what: str, seconds: float, **how: Any) -> Task:
        self.runs += 1
        sellers = [Seller(number, self.port, "none", "none", "/dev/null", "00") for number in range(1, self.size.brands + 1)]
        return Task(
            what=what,
            run=f"{int(time.time())}-{self.runs}",
            seconds=seconds,
            connections=how.get("connections"),
            rate=how.get("rate"),
            window=None,
            sellers=sellers,
            gateway_port=self.port,
            node_port=None,
            coalition={},
            members_file=str(self.root / MEMBERS_FILE),
            redeemed=0,
            now=int(time.time()),
        )


@contextmanager
def plain_table(root: Path, size: Size, server: PostgresServer) -> Iterator[PlainTable]:
    """The program, with as many earlier purchases in its table: those are written into it directly. `root` holds the members' file."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/v1/members/nobody/points", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    with Supervisor(root) as supervisor:
        supervisor.start("table", ["-m", "scripts.benchmarks.gateway.baseline", server.url, str(port)], answers)
        engine = create_engine(server.url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            for statement in _EARLIER.strip().split("\n"):
                connection.execute(text(statement), {"members": size.members, "purchases": size.purchases})
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
        engine.dispose()
        yield PlainTable(root, size, port, {"gateway": supervisor.pid("table"), "postgresql": first_process(server)})
