"""What is measured, one phase after the other: rates closed, so many calls at once, latencies open, at four fifths of the bound's rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from scripts.benchmarks.gateway.driving import ASK_AGAIN
from scripts.benchmarks.gateway.report import headlines, rate_of
from scripts.benchmarks.gateway.running import run_loads
from scripts.benchmarks.gateway.state import Size
from scripts.benchmarks.gateway.task import Task

OPEN_PART = 0.8
ONE_AT_A_TIME_SECONDS = 20.0
PAIRS_ABOVE_BOUND = 3  # signed beforehand, times what the bound asks for
PAIRS_PER_MEMBER = 3  # each has the points of a purchase at least
FINE = ("200", "201", "202", *map(str, ASK_AGAIN))
Figures = dict[str, Any]


@dataclass(frozen=True)
class Phase:
    """`bound`: items a second, each of `entries` on the ledger. `window`: entries that may be sent and not be on the ledger."""

    what: str
    bound: float
    connections: int
    window: int | None
    per_call: int = 1
    entries: int = 1


PHASES = (
    Phase("bulk", 3_000, 8, 6_000, per_call=500),
    Phase("direct_call", 400, 64, 400),
    Phase("single_call", 1_000, 64, 1_000),
    Phase("redeem", 150, 128, None, entries=2),
    Phase("read", 1_500, 32, None),
)
BY_NAME = {phase.what: phase for phase in PHASES}
NAMES = (*BY_NAME, "read_while_writing", "one_at_a_time")


class UnderLoad(Protocol):
    """What is measured: it makes loads' tasks for itself and knows its own programs."""

    size: Size
    redeemed: int

    @property
    def folder(self) -> Path: ...

    def leaders(self) -> dict[str, int]: ...

    def restarted(self) -> list[str]: ...

    def task(self, what: str, seconds: float, **how: Any) -> Task: ...

    def settle(self) -> None: ...


class Measuring:
    """`faults`: what no run may show, however slow."""

    def __init__(self, coalition: UnderLoad, seconds: float) -> None:
        self._coalition = coalition
        self._seconds = seconds
        self.faults: list[str] = []

    def measure(self, name: str) -> Figures:
        others: Mapping[str, Callable[[], Figures]] = {
            "read_while_writing": self._read_while_writing,
            "one_at_a_time": self._one_at_a_time,
        }
        return headlines(name, others[name]() if name in others else self._both(BY_NAME[name]))

    def _both(self, phase: Phase) -> Figures:
        how = {"connections": phase.connections, "window": phase.window}
        pairs = self._pairs(int(self._seconds * phase.bound * PAIRS_ABOVE_BOUND))
        closed = self._run(self._coalition.task(phase.what, self._seconds, **how, options=pairs))
        reached = rate_of(closed) / phase.entries
        asked = max(OPEN_PART * min(phase.bound, reached), 1 / self._seconds)
        pairs = self._pairs(int(asked * self._seconds * 2))
        opened = self._run(self._coalition.task(phase.what, self._seconds, rate=asked / phase.per_call, options=pairs))
        kept_to = "the bound's rate" if reached >= phase.bound else "the rate that was reached, since it is below the bound"
        return {"closed": closed | how, "open": opened | {"rate": round(asked, 1), "rate_is": f"{OPEN_PART:.0%} of {kept_to}"}}

    def _pairs(self, wanted: int) -> dict[str, int]:
        """Redemptions to sign; a member's points bound them."""
        size = self._coalition.size
        left = size.members * PAIRS_PER_MEMBER - self._coalition.redeemed
        return {"pairs": min(wanted, left // 2), "members": size.members}

    def _read_while_writing(self) -> Figures:
        """Tills call their agents as fast as they may, and others read meanwhile."""
        read, single = BY_NAME["read"], BY_NAME["single_call"]
        tasks = [
            self._coalition.task(each.what, self._seconds, connections=each.connections, window=each.window) for each in (read, single)
        ]
        reading, writing = run_loads(self._coalition.folder, tasks, self._coalition.leaders())
        self._coalition.settle()
        for task, found in zip(tasks, (reading, writing), strict=True):
            self._look_at(task, found)
        return reading | {"writing": writing, "connections": read.connections}

    def _one_at_a_time(self) -> Figures:
        seconds = min(self._seconds, ONE_AT_A_TIME_SECONDS)
        return self._run(self._coalition.task("one_at_a_time", seconds, connections=1))

    def _run(self, task: Task) -> Figures:
        if task.what == "redeem":
            self._coalition.redeemed += task.options["pairs"]
        (found,) = run_loads(self._coalition.folder, [task], self._coalition.leaders())
        self._coalition.settle()
        self._look_at(task, found)
        items = found.get("confirmed_entries", found["answered"])
        found["cpu_ms_each"] = {name: round(1_000 * seconds / max(1, items), 3) for name, seconds in found["cpu_s"].items()}
        return found

    def _look_at(self, task: Task, found: Figures) -> None:
        where = f"{task.what}, {'closed' if task.connections else 'open'}"
        odd = {status: count for status, count in found["statuses"].items() if status not in FINE}
        if odd or found["first_problem"].startswith("2"):
            self.faults.append(f"{where}: answered {odd}, first {found['first_problem']}")
        for name in ("missing", "refused_entries"):
            if found.get(name):
                self.faults.append(f"{where}: {found[name]:,} entries {name.removesuffix('_entries')} of {found['sent_entries']:,}")
        if (counted := found.get("confirmed_entries")) is not None and counted != found["sent_entries"]:
            self.faults.append(f"{where}: the ledger has {counted:,} entries of {found['sent_entries']:,} that were acknowledged")
        self.faults += [f"{where}: {name} ended by itself" for name in self._coalition.restarted()]
