"""What each program takes of the processors, its children and theirs included, and of memory; from /proc."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class ProcessorTime:
    """From its making on; `leaders` are the programs' first processes."""

    def __init__(self, leaders: Mapping[str, int]) -> None:
        self._leaders = {pid: name for name, pid in leaders.items()}
        self._before = self._seconds()

    def taken(self) -> dict[str, float]:
        """Seconds of user and system time by program; what ended meanwhile is in its parent's."""
        return {name: round(seconds - self._before.get(name, 0), 2) for name, seconds in self._seconds().items()}

    def megabytes(self) -> dict[str, int]:
        """Resident memory of each program's largest process."""
        pages = dict.fromkeys(self._leaders.values(), 0)
        for name, fields in self._processes():
            pages[name] = max(pages[name], int(fields[21]))
        return {name: count * _PAGE // 2**20 for name, count in pages.items()}

    def _seconds(self) -> dict[str, float]:
        seconds = dict.fromkeys(self._leaders.values(), 0.0)
        for name, fields in self._processes():
            seconds[name] += sum(int(part) for part in fields[11:15]) / _TICKS
        return seconds

    def _processes(self) -> Iterator[tuple[str, list[str]]]:
        """Each with its program's name, and what its stat line says."""
        found = {int(folder.name): fields for folder in Path("/proc").iterdir() if folder.name.isdigit() and (fields := _fields(folder))}
        parents = {pid: int(fields[1]) for pid, fields in found.items()}
        for pid, fields in found.items():
            leader = _leader(pid, parents, self._leaders)
            if leader is not None:
                yield self._leaders[leader], fields


def _leader(pid: int, parents: Mapping[int, int], leaders: Collection[int]) -> int | None:
    """The nearest of them that it descends from, itself first."""
    while pid not in leaders and pid in parents:
        pid = parents[pid]
    return pid if pid in leaders else None


def _fields(folder: Path) -> list[str] | None:
    """Of its stat line from the third on, past a name that may hold anything; None of a process that has ended."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
