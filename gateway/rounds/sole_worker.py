"""One ledger worker at a time: a lock on the data directory, and on PostgreSQL a lease on the database."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

from gateway.store.lease import LEASE_SECONDS, LeaseTaken, WorkerLease
from gateway.store.session import Database
from gateway.values.errors import Foreseen

_Taken = TypeVar("_Taken")


class AnotherWorker(Foreseen):
    """Another process works on this data directory or database."""


class StandsBy(AnotherWorker):
    """On this database: once that process is gone, this one can work in its place."""


def claim_folder(data_dir: Path) -> int:
    """A file that is held until it is closed, or until the process ends, however it ends."""
    return _patiently(lambda: _lock(data_dir))


def take_lease(database: Database) -> WorkerLease | None:
    """None where the data directory's lock is enough."""
    return _patiently(lambda: _lease(database))


def _patiently(take: Callable[[], _Taken]) -> _Taken:
    """Whoever worked here before may have been killed this moment, and its place is free soon."""
    until = monotonic() + LEASE_SECONDS + 0.5
    while True:
        try:
            return take()
        except AnotherWorker:
            if monotonic() > until:
                raise
            sleep(0.05)


def _lock(data_dir: Path) -> int:
    data_dir.mkdir(parents=True, exist_ok=True)
    handle = os.open(data_dir / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise AnotherWorker(f"another process works on {data_dir}; stop it first") from error
    return handle


def _lease(database: Database) -> WorkerLease | None:
    try:
        return database.lease_for_worker()
    except LeaseTaken as taken:
        raise StandsBy(str(taken)) from taken
