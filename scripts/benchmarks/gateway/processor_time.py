"""What each program takes of the processors, its children and theirs included, from /proc."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class ProcessorTime:
    """From its making on; `leaders` are the programs' first processes, each of a session of its own."""

    def __init__(self, leaders: Mapping[str, int]) -> None:
        self._leaders = dict(leaders)
        self._before = self._seconds()

    def taken(self) -> dict[str, float]:
        """Seconds of user and system time by program."""
        return {name: round(seconds - self._before.get(name, 0), 2) for name, seconds in self._seconds().items()}

    def _seconds(self) -> dict[str, float]:
        by_session: dict[int, int] = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and (fields := _fields(folder)) is not None:
                session = int(fields[3])
                by_session[session] = by_session.get(session, 0) + sum(int(part) for part in fields[11:15])
        return {name: by_session.get(pid, 0) / _TICKS for name, pid in self._leaders.items()}


def megabytes(pid: int) -> int:
    """Resident memory of one process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE // 2**20


def _fields(folder: Path) -> list[str] | None:
    """Of its stat line from the third on, past a name that may hold anything."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
