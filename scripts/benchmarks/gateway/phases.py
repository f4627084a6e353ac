"""What is measured, one phase after the other: rates closed, so many calls at once, latencies open, at four fifths of the bound's rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.benchmarks.gateway.running import run_loads
from scripts.benchmarks.gateway.state import Coalition
from scripts.benchmarks.gateway.task import Task

OPEN_PART = 0.8
ONE_AT_A_TIME_SECONDS = 20.0
PAIRS_ABOVE_BOUND = 3


@dataclass(frozen=True)
class Phase:
    """`bound`: items a second. `per_call`: items of one call. `window`: entries sent and not on the ledger, a second's work of the bound."""

    what: str
    bound: float
    connections: int
    window: int | None
    per_call: int = 1


PHASES = (
    Phase("bulk", 3_000, 8, 6_000, per_call=500),
    Phase("direct_call", 400, 64, 400),
    Phase("single_call", 1_000, 64, 1_000),
    Phase("redeem", 150, 128, None),
    Phase("read", 1_500, 32, None),
)
BY_NAME = {phase.what: phase for phase in PHASES}
NAMES = (*BY_NAME, "read_while_writing", "one_at_a_time")


class Measuring:
    def __init__(self, coalition: Coalition, seconds: float) -> None:
        self._coalition = coalition
        self._seconds = seconds

    def measure(self, name: str) -> dict[str, Any]:
        others: Mapping[str, Callable[[], dict[str, Any]]] = {
            "read_while_writing": self._read_while_writing,
            "one_at_a_time": self._one_at_a_time,
        }
        return others[name]() if name in others else self._both(BY_NAME[name])

    def _both(self, phase: Phase) -> dict[str, Any]:
        closed = self._closed(phase)
        reached = closed.get("confirmed_per_s", closed["answered_per_s"])
        reached /= 2 if phase.what == "redeem" else 1
        asked = OPEN_PART * min(phase.bound, reached)
        opened = self._run(self._task(phase, rate=asked / phase.per_call))
        kept_to = "the bound's rate" if reached >= phase.bound else "the rate that was reached, since it is below the bound"
        return {"closed": closed, "open": opened | {"rate": round(asked, 1), "rate_is": f"{OPEN_PART:.0%} of {kept_to}"}}

    def _closed(self, phase: Phase) -> dict[str, Any]:
        found = self._run(self._task(phase, connections=phase.connections, window=phase.window))
        return found | {"connections": phase.connections, "window": phase.window}

    def _task(self, phase: Phase, **how: Any) -> Task:
        pairs = min(int(self._seconds * phase.bound * PAIRS_ABOVE_BOUND), self._coalition.size.members - self._coalition.redeemed)
        made = self._coalition.task(phase.what, self._seconds, **how, options={"pairs": pairs})
        if phase.what == "redeem":
            self._coalition.redeemed += pairs
        return made

    def _read_while_writing(self) -> dict[str, Any]:
        """Tills call their agents as fast as they may, and others read meanwhile."""
        read, single = BY_NAME["read"], BY_NAME["single_call"]
        tasks = [self._task(each, connections=each.connections, window=each.window) for each in (read, single)]
        reading, writing = run_loads(self._coalition.folder, tasks, self._coalition.leaders())
        self._coalition.settle()
        return reading | {"writing": writing, "connections": read.connections}

    def _one_at_a_time(self) -> dict[str, Any]:
        seconds = min(self._seconds, ONE_AT_A_TIME_SECONDS)
        return self._run(self._coalition.task("one_at_a_time", seconds, connections=1))

    def _run(self, task: Task) -> dict[str, Any]:
        (found,) = run_loads(self._coalition.folder, [task], self._coalition.leaders())
        self._coalition.settle()
        items = found.get("confirmed_entries", found["answered"])
        found["cpu_ms_each"] = {name: round(1_000 * seconds / max(1, items), 3) for name, seconds in found["cpu_s"].items()}
        return found
