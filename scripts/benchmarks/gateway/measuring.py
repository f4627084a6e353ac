"""A run from nothing to its figures: the state once, then the phases on it, the same on PostgreSQL, on anvil, and a plain table."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts.benchmarks.anvil import find_anvil
from scripts.benchmarks.figures import load, machine
from scripts.benchmarks.gateway import state
from scripts.benchmarks.gateway.databases import first_process, postgresql, take_over
from scripts.benchmarks.gateway.phases import NAMES, Figures, Measuring, UnderLoad
from scripts.benchmarks.gateway.plain_table import NOT_IN_A_TABLE, plain_table
from scripts.benchmarks.gateway.report import judged
from scripts.benchmarks.gateway.state import Coalition, Say, Size
from scripts.benchmarks.json_rpc import RpcProcess, free_port
from scripts.demo.processes import ROOT

PARTS = ("own", "postgres", "anvil", "postgres_baseline")
NO_POSTGRESQL = "not installed: initdb and pg_ctl, Debian's or on the PATH"
NO_ANVIL = "not installed: npm package @foundry-rs/anvil, or --anvil PATH"
ON_ANVIL = Size(10_000, 20_000, 8)  # at most: anvil keeps its state in memory and cannot be given what was built


@dataclass(frozen=True)
class Plan:
    size: Size
    seconds: float
    phases: Sequence[str] = NAMES
    parts: Sequence[str] = PARTS
    anvil: Path | None = None


class Run:
    """In `folder`, which keeps what was built; `faults` are what no run may show."""

    def __init__(self, folder: Path, plan: Plan, say: Say) -> None:
        self._folder = folder
        self._plan = plan
        self._say = say
        size = plan.size
        self._built = folder / f"built-{size.members}-{size.purchases}-{size.brands}"
        self.faults: list[str] = []

    def figures(self) -> Figures:
        found: Figures = {"machine": machine(), "seconds": self._plan.seconds, "state": self._state(), "left_out": {}}
        parts = {"postgres": self._on_postgresql, "anvil": self._on_anvil, "postgres_baseline": self._in_a_table}
        if "own" in self._plan.parts:
            with self._going_on() as coalition:
                found |= self._phases("", coalition)
        for name, measured in parts.items():
            if name in self._plan.parts:
                self._say(f"{name} …")
                found[name] = measured()
                if isinstance(found[name], str):
                    found["left_out"][name], found[name] = found[name], None
        found["machine"]["load_after"] = load()
        return found | {"targets": judged(found), "faults": self.faults}

    def _state(self) -> Figures:
        if not (self._built / state.BUILT).exists():
            shutil.rmtree(self._built, ignore_errors=True)
            with state.running(self._built, self._plan.size, self._say) as coalition:
                state.build(coalition, self._say)
        found: Figures = json.loads((self._built / state.BUILT).read_text())
        return found

    @contextmanager
    def _going_on(self, database_url: str = "") -> Iterator[Coalition]:
        """The state's copy, running."""
        with state.running(self._copied(), self._plan.size, self._say, database_url) as coalition:
            yield coalition

    def _copied(self) -> Path:
        run = self._folder / "run"
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(self._built, run)
        return run

    def _on_postgresql(self) -> Figures | str:
        with postgresql() as server:
            if server is None:
                return NO_POSTGRESQL
            rows = take_over(self._built / "gateway" / "gateway.sqlite3", server.url)
            with self._going_on(server.url) as coalition:
                coalition.others["postgresql"] = first_process(server)
                return {"rows_taken_over": rows, **self._phases("postgres", coalition)}

    def _on_anvil(self) -> Figures | str:
        program = find_anvil(self._plan.anvil)
        if program is None:
            return NO_ANVIL
        most = self._plan.size
        size = replace(most, members=min(most.members, ON_ANVIL.members), purchases=min(most.purchases, ON_ANVIL.purchases))
        folder, port = self._folder / "on-anvil", free_port()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        command = [str(program), "--port", str(port), "--hardfork", "prague", "--order", "fifo", "--silent"]
        with (
            RpcProcess(command, port, log=folder / "anvil.log") as engine,
            state.running(folder / "run", size, self._say, engine_url=f"http://127.0.0.1:{port}") as coalition,
        ):
            coalition.others["node"] = engine.process.pid
            built = state.build(coalition, self._say)
            return {"state": built, **self._phases("anvil", coalition)}

    def _in_a_table(self) -> Figures | str:
        with postgresql() as server:
            if server is None:
                return NO_POSTGRESQL
            root = self._folder / "table"
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir()
            shutil.copy(self._built / state.MEMBERS_FILE, root)
            with plain_table(root, self._plan.size, server) as table:
                return self._measured("a table", table, [name for name in self._plan.phases if name not in NOT_IN_A_TABLE])

    def _phases(self, where: str, coalition: Coalition) -> Figures:
        found = self._measured(where, coalition, self._plan.phases)
        self._say("splittally audit …")
        found["audit"] = _audited(coalition.world.directory.gateway / "gateway.toml")
        if not found["audit"]["clean"]:
            self.faults.append(f"{where or 'own'}: the audit found {found['audit']}")
        return found

    def _measured(self, where: str, under_load: UnderLoad, names: Iterable[str]) -> Figures:
        measuring, found = Measuring(under_load, self._plan.seconds), {}
        for name in names:
            self._say(f"{where} {name} …".strip())
            found[name] = measuring.measure(name)
        self.faults += [f"{where or 'own'}: {fault}" for fault in measuring.faults]
        return found


def _audited(settings: Path) -> Figures:
    command = [sys.executable, "-m", "gateway", "--config", str(settings), "audit", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {"clean": False, "said": done.stderr[-1_000:]}
    return {"clean": done.returncode == 0, "entries": told.get("entries"), "batches": told.get("batches")} | (
        {} if done.returncode == 0 else {"verdicts": told}
    )
