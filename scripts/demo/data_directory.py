"""The demo's data directory: what stands where, which ports were given out, and that one run uses it at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PORT_NAMES = ("node", "gateway", "wallets", "grocer", "drugstore", "fuel", "deli", "second-store", "bonus")
OPTIONS = {"gateway": "--port", "node": "--rpc-port"}
MARK = "splittally-demo"


class DirectoryInUse(Exception):
    """Another run has the directory, it holds something else, or it is no place to write to."""


class PortTaken(Exception):
    """Another program listens where this run has to; the message says what to do."""


@dataclass(frozen=True)
class DataDirectory:
    """Paths below the run's directory. `lock` keeps a second run out while it is open."""

    root: Path
    lock: int

    @property
    def node(self) -> Path:
        return self.root / "node"

    @property
    def gateway(self) -> Path:
        return self.root / "gateway"

    @property
    def wallets(self) -> Path:
        return self.root / "wallets"

    @property
    def people(self) -> Path:
        """Keys of the guardian, the approvers and the brands' owners."""
        return self.root / "second-people"

    @property
    def witnesses(self) -> Path:
        """Settings, keys and logs of those who countersign."""
        return self.root / "witnesses"

    @property
    def walk(self) -> Path:
        return self.root / "walk"

    @property
    def payment_files(self) -> Path:
        return self.root / "payment-files"

    @property
    def receipts(self) -> Path:
        return self.root / "receipts"

    def brand(self, slug: str) -> Path:
        return self.root / "brands" / slug

    def read(self, name: str) -> Any:
        """A JSON document that this run keeps; None where there is none yet."""
        path = self.root / name
        return json.loads(path.read_text()) if path.exists() else None

    def keep(self, name: str, document: Any) -> None:
        """Writes a document whole or not at all."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".new")
        with draft.open("w") as stream:
            json.dump(document, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)

    def ports(self, asked: dict[str, int | None]) -> dict[str, int]:
        """The ports of this directory: those asked for, else those of the last run, else free ones."""
        kept = self.read("ports.json") or {}
        ports = {name: asked.get(name) or kept.get(name) or _free_port() for name in PORT_NAMES}
        self.keep("ports.json", ports)
        return ports


def open_directory(root: Path, fresh: bool) -> DataDirectory:
    """Takes the directory for this run; `fresh` empties it first. Processes that a killed run left behind are ended."""
    root = root.resolve()
    try:
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()) and not (root / MARK).exists():
            raise DirectoryInUse(f"{root} holds something else than a demo: choose another --data")
        (root / MARK).touch()
        lock = os.open(root / MARK, os.O_RDWR)
    except OSError as problem:
        raise DirectoryInUse(f"{root} cannot be used ({problem.strerror}): choose another --data") from problem
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as taken:
        raise DirectoryInUse(f"another run is using {root}") from taken
    _end_orphans(root)
    if fresh:
        for path in root.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != MARK:
                path.unlink()
    return DataDirectory(root, lock)


def check_free(ports: Mapping[str, int]) -> None:
    """Raises PortTaken before anything is started, rather than when one of many processes cannot begin."""
    with contextlib.ExitStack() as held:
        for name, port in ports.items():
            probe = held.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen()
            except OSError as problem:
                remedy = f"choose another {OPTIONS[name]}" if name in OPTIONS else "start anew with --fresh, which chooses others"
                raise PortTaken(f"port {port} ({name}) cannot be used ({problem.strerror}): end what uses it, or {remedy}") from problem


def _end_orphans(root: Path) -> None:
    listed = root / "processes.json"
    if not listed.exists():
        return
    for process in json.loads(listed.read_text()).values():
        _end_if_ours(process["pid"], root)
    listed.unlink()


def _end_if_ours(pid: int, root: Path, seconds: float = 20) -> None:
    """Ends the process if its command line still names this directory: the number may belong to another by now."""
    deadline = time.monotonic() + seconds
    number = signal.SIGTERM
    while _names(pid, root):
        os.kill(pid, number)
        if time.monotonic() > deadline:
            number = signal.SIGKILL
        time.sleep(0.1)


def _names(pid: int, root: Path) -> bool:
    try:
        return str(root).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
