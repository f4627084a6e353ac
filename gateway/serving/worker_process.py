"""The ledger worker in a process of its own, and what the processes that answer requests see of it."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from gateway.app import make_worker
from gateway.chain.connection import Chain
from gateway.config import Settings
from gateway.rounds.completion import Completions
from gateway.serving.bells import Bell
from gateway.store.session import Database

STATE_FILE = "worker-state.json"
_STATE_SECONDS = 0.2


class RingingCompletions(Completions):
    """Says so to other processes, too."""

    def __init__(self, bells: Sequence[Bell]) -> None:
        super().__init__()
        self._bells = bells

    def notify(self) -> None:
        super().notify()
        for bell in self._bells:
            bell.ring()


class DistantWorker:
    """The worker as the API sees it. Somebody else starts and stops it."""

    def __init__(self, work_to_do: Bell, data_dir: Path) -> None:
        self._work_to_do = work_to_do
        self._state = data_dir / STATE_FILE

    def start(self) -> None:
        """Nothing: it lives in a process of its own."""

    def stop(self) -> None:
        """Nothing: it ends with the process that forked it."""

    def wake(self) -> None:
        self._work_to_do.ring()

    def health(self) -> Mapping[str, object]:
        """What the worker wrote last of itself."""
        with suppress(OSError, ValueError):
            told: dict[str, object] = json.loads(self._state.read_text())
            return told
        return {"state": "starting", "last_error": None, "silent_signers": {}}


def run_worker(settings: Settings, work_to_do: Bell, changed: Sequence[Bell]) -> None:
    """Until SIGTERM. `changed` is rung whenever the database has changed."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    database = Database(settings.database_url)
    chain = Chain(settings.rpc_url, settings.rpc_timeout_seconds)
    worker = make_worker(database, chain, RingingCompletions(changed), settings)
    work_to_do.listen(worker.wake)
    state = settings.data_dir / STATE_FILE
    try:
        worker.start()
        told: Mapping[str, object] = {}
        while not ended.wait(_STATE_SECONDS):
            now = worker.health()
            if now != told and _wrote(state, now):
                told = now
    finally:
        worker.stop()
        state.unlink(missing_ok=True)
        chain.close()
        database.close()


def _wrote(state: Path, told: Mapping[str, object]) -> bool:
    """False where the disk does not take it, which is no reason to end: it is tried again."""
    draft = state.with_suffix(".new")
    try:
        draft.write_text(json.dumps(told))
        draft.replace(state)
    except OSError:
        return False
    return True
