"""The coalition before anything is measured: brands, members and their earlier purchases, all of it made through the gateway itself."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.secret_files import read_secret
from gateway.values.ids import Hash
from scripts.benchmarks.gateway.brands import brands_of
from scripts.benchmarks.gateway.people import person
from scripts.benchmarks.gateway.running import LoadFailed, run_loads
from scripts.benchmarks.gateway.task import Seller, Task
from scripts.benchmarks.json_rpc import free_port
from scripts.demo.client import Client
from scripts.demo.coalition import DemoBrand
from scripts.demo.data_directory import open_directory
from scripts.demo.processes import Supervisor
from scripts.demo.world import World, onboard_brands, start_world

Say = Callable[[str], None]
MEMBERS_FILE = "members.txt"
BUILT = "built.json"
ENROLLED_AT_ONCE = 1_000
HISTORY_CONNECTIONS = 4
HISTORY_WINDOW = 6_000  # entries sent and not on the ledger
SLOWEST_HISTORY = 50  # purchases a second: what is slower is given up
FIRST_SECOND_AGO = 2 * 3_600  # the chain begins then: an hour of simulated time passes before brands are approved
SETTLES_WITHIN_SECONDS = 600


@dataclass(frozen=True)
class Size:
    members: int
    purchases: int
    brands: int


@dataclass
class Coalition:
    """A world that runs, as loads see it."""

    world: World
    brands: list[DemoBrand]
    size: Size
    others: dict[str, int] = field(default_factory=dict)  # first processes of programs that this run has beside its own
    runs: int = 0
    redeemed: int = 0

    @property
    def folder(self) -> Path:
        return self.world.directory.root / "loads"

    def leaders(self) -> dict[str, int]:
        """The programs' first processes by name."""
        listed = json.loads((self.world.directory.root / "processes.json").read_text())
        return {name.replace("signer-", "agent-"): entry["pid"] for name, entry in listed.items()} | self.others

    def restarted(self) -> list[str]:
        """Programs that ended by themselves and were started again, which no load may bring about."""
        listed = json.loads((self.world.directory.root / "processes.json").read_text())
        return [name for name, entry in listed.items() if entry["starts"] > 1]

    def task(self, what: str, seconds: float, **how: Any) -> Task:
        self.runs += 1
        directory, ports = self.world.directory, self.world.ports
        names = ("coalition_id", "chain_id", "points_address")
        return Task(
            what=what,
            run=f"{int(time.time())}-{self.runs}",
            seconds=seconds,
            connections=how.get("connections"),
            rate=how.get("rate"),
            window=how.get("window"),
            sellers=[self._seller(brand) for brand in self.brands],
            gateway_port=ports["gateway"],
            node_port=urlsplit(self.world.rpc_url).port,
            coalition={name: self.world.coalition[name] for name in names},
            members_file=str(directory.root / MEMBERS_FILE),
            redeemed=self.redeemed,
            now=self.world.clock.head_timestamp(),
            options=how.get("options", {}),
        )

    def settle(self) -> None:
        """Returns once nothing waits for the ledger."""
        until = time.monotonic() + SETTLES_WITHIN_SECONDS
        while open_operations := self.world.operator.get("/v1/health")["operations_open"]:
            if time.monotonic() > until:
                raise LoadFailed(f"{open_operations} operations are not on the ledger after {SETTLES_WITHIN_SECONDS} s")
            time.sleep(0.2)

    def _seller(self, brand: DemoBrand) -> Seller:
        folder = self.world.directory.brand(brand.slug)
        return Seller(
            brand_id=brand.brand_id,
            agent_port=self.world.ports[brand.slug],
            till_token=read_secret(folder / "till.token"),
            api_key=read_secret(folder / "api.key"),
            register=str(folder / "sales.jsonl"),
            secret=read_secret(folder / "reference_secret").removeprefix("0x"),
        )


@contextmanager
def running(folder: Path, size: Size, say: Say, database_url: str = "", engine_url: str | None = None) -> Iterator[Coalition]:
    """Node, gateway and agents on this folder; brands are registered where they are not yet. All of it is ended at the end."""
    directory = open_directory(folder, fresh=False)
    try:
        with Supervisor(directory.root) as supervisor:
            brands = brands_of(size.brands)
            ports = directory.read("ports.json") or _free_ports(["node", "gateway", *(brand.slug for brand in brands)])
            directory.keep("ports.json", ports)
            url = database_url or f"sqlite:///{directory.gateway / 'gateway.sqlite3'}"
            world = start_world(directory, supervisor, ports, url, int(time.time()) - FIRST_SECOND_AGO, engine_url)
            try:
                world.clock.call("evm_mine")  # a kept chain's newest block is old, and batches have deadlines
                onboard_brands(world, brands, say)
                yield Coalition(world, brands, size)
            finally:
                world.close()
    finally:
        os.close(directory.lock)


def build(coalition: Coalition, say: Say) -> dict[str, Any]:
    """Members and earlier purchases, once; what was built is said again."""
    directory = coalition.world.directory
    built: dict[str, Any] | None = directory.read(BUILT)
    if built is not None:
        return built
    began = time.monotonic()
    coalition_id = Hash.parse(coalition.world.coalition["coalition_id"])
    _enroll(coalition.world.operator, coalition.size.members, coalition_id, directory.root / MEMBERS_FILE)
    coalition.settle()
    enrolled = round(time.monotonic() - began, 1)
    say(f"{coalition.size.members:,} members in {enrolled} s; {coalition.size.purchases:,} purchases …")
    how = {"connections": HISTORY_CONNECTIONS, "window": HISTORY_WINDOW, "options": {"purchases": coalition.size.purchases}}
    seconds = SETTLES_WITHIN_SECONDS + coalition.size.purchases / SLOWEST_HISTORY
    (history,) = run_loads(coalition.folder, [coalition.task("history", seconds, **how)], coalition.leaders())
    if history["confirmed_entries"] != coalition.size.purchases:
        raise LoadFailed(f"{history['confirmed_entries']} of the earlier purchases are on the ledger: {history}")
    coalition.settle()
    built = {"members": coalition.size.members, "members_s": enrolled, "purchases": coalition.size.purchases, "history": history}
    directory.keep(BUILT, built)
    return built


def _free_ports(names: Sequence[str]) -> dict[str, int]:
    found = set[int]()
    while len(found) < len(names):
        found.add(free_port())
    return dict(zip(names, found, strict=True))


def _enroll(operator: Client, members: int, coalition_id: Hash, file: Path) -> None:
    """Keys are made while the gateway takes the ones before."""
    with ThreadPoolExecutor(1) as pool, file.open("w") as out:
        sent = None
        for first in range(0, members, ENROLLED_AT_ONCE):
            people = [person(number) for number in range(first, min(members, first + ENROLLED_AT_ONCE))]
            out.writelines(f"{each.member(coalition_id)}\n" for each in people)
            body = {"members": [each.enrolment() for each in people]}
            if sent is not None:
                sent.result()
            sent = pool.submit(operator.post, "/v1/members/bulk", body, f"members-{first}", wait_seconds=0)
        if sent is not None:
            sent.result()
