"""Starts the demo's processes, watches them, and starts the node or the gateway again when it dies.

Every process is a child of this one, logs to a file of its own and is ended by its id; `processes.json` tells who is running.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent.parent
MAX_RESTARTS = 100
READY_SECONDS = 180


class ProcessDied(Exception):
    """A process ended by itself and may not, or could not, be started again."""


def healthy(url: str, path: str = "/healthz") -> bool:
    """Whether a process serves there."""
    try:
        return httpx.get(url + path, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


@dataclass
class _Watched:
    name: str
    command: list[str]
    log: Path
    ready: Callable[[], bool]
    restart: bool
    variables: Mapping[str, str]
    child: subprocess.Popen[bytes]
    starts: int = 1


class Supervisor:
    """The children of one run. Use as a context manager: leaving it ends them all."""

    def __init__(self, directory: Path) -> None:
        self._logs = directory / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._list = directory / "processes.json"
        self._watched: dict[str, _Watched] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._failure: str | None = None
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(
        self,
        name: str,
        arguments: list[str],
        ready: Callable[[], bool],
        *,
        restart: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Starts `python <arguments>`, with `variables` in its environment, and waits until `ready()`."""
        command, log, own = [sys.executable, *arguments], self._logs / f"{name}.log", variables or {}
        with self._lock:
            self._watched[name] = _Watched(name, command, log, ready, restart, own, _spawn(command, log, own))
            self._write_list()
        self._await_ready(name)

    @contextmanager
    def away(self, name: str) -> Iterator[None]:
        """Ends a child that is started again once the block ends; nothing is started meanwhile."""
        with self._lock:
            _end(self._watched[name].child)
            yield
        self._await_ready(name)

    def pid(self, name: str) -> int:
        """Of the child that was last started under this name."""
        with self._lock:
            return self._watched[name].child.pid

    def check(self) -> None:
        """Raises `ProcessDied` when a process is gone for good."""
        if self._failure:
            raise ProcessDied(self._failure)

    def stop(self) -> None:
        """Ends every child, the last started first: nobody loses the service it leans on."""
        self._stopping.set()
        self._thread.join(timeout=5)
        for watched in reversed(list(self._watched.values())):
            _end(watched.child)
        self._list.unlink(missing_ok=True)

    def _await_ready(self, name: str) -> None:
        watched, deadline = self._watched[name], time.monotonic() + READY_SECONDS
        while not watched.ready():
            self.check()
            if time.monotonic() > deadline:
                raise ProcessDied(f"{name} did not become ready in {READY_SECONDS} s: {_last_line(watched.log)}; its log: {watched.log}")
            time.sleep(0.05)

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            with self._lock:
                for watched in self._watched.values():
                    code = watched.child.poll()
                    if code is not None and not self._failure:
                        self._revive(watched, code)

    def _revive(self, watched: _Watched, code: int) -> None:
        if not watched.restart or watched.starts > MAX_RESTARTS:
            self._failure = f"{watched.name} ended with {code}: {_last_line(watched.log)}; its log: {watched.log}"
            return
        watched.child = _spawn(watched.command, watched.log, watched.variables)
        watched.starts += 1
        self._write_list()

    def _write_list(self) -> None:
        running = {name: {"pid": watched.child.pid, "starts": watched.starts} for name, watched in self._watched.items()}
        draft = self._list.with_suffix(".new")
        draft.write_text(json.dumps(running, indent=2))
        draft.replace(self._list)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")


def _end(child: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """A polite signal first."""
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    try:
        child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _spawn(command: list[str], log: Path, own: Mapping[str, str]) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("SPLITTALLY_")}
    variables = {**kept, "PYTHONPATH": str(ROOT), "ETH_HASH_BACKEND": "pysha3", **own}  # a gateway's settings are this run's own
    with log.open("ab") as output:
        return subprocess.Popen(
            command, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
