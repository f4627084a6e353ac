"""How figures are taken: wall and processor time side by side, since on a busy machine only the latter can be compared."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from typing import Any

Figures = dict[str, Any]
CPU_TICK_SECONDS = 0.01  # another process's time is no finer


class Clock:
    """Wall and processor time of this process from here on, the node's threads included."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._wall

    def rates(self, entries: int) -> Figures:
        return rates(entries, self.seconds, time.process_time() - self._processor)


def rates(entries: int, seconds: float, cpu_seconds: float | None = None) -> Figures:
    figures: Figures = {"entries": entries, "seconds": round(seconds, 3), "entries_per_s": round(entries / seconds, 1)}
    if cpu_seconds is not None:
        figures |= {"cpu_seconds": round(cpu_seconds, 3), "entries_per_cpu_s": round(entries / max(cpu_seconds, CPU_TICK_SECONDS), 1)}
    return figures


def together(parts: Sequence[Figures]) -> Figures:
    """One figure of several runs of the same thing."""
    cpu_seconds = sum(part["cpu_seconds"] for part in parts) if "cpu_seconds" in parts[0] else None
    return rates(sum(part["entries"] for part in parts), sum(part["seconds"] for part in parts), cpu_seconds)


def spread(seconds: Sequence[float]) -> Figures:
    """In milliseconds; none of it where nothing was measured."""
    if not seconds:
        return {"p50": None, "p99": None, "most": None, "count": 0}
    ordered = sorted(1_000 * each for each in seconds)
    return {
        "p50": round(_percentile(ordered, 50), 3),
        "p99": round(_percentile(ordered, 99), 3),
        "most": round(ordered[-1], 3),
        "count": len(ordered),
    }


def load() -> list[float]:
    return [round(each, 2) for each in os.getloadavg()]


def machine() -> Figures:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "cpus": os.cpu_count(),
        "load_before": load(),
    }


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
