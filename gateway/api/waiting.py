"""Callers that wait for operations to end. One thread looks for all of them, once each time the database has changed."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future
from itertools import chain

from gateway.rounds.completion import Completions

LOOK_AGAIN_SECONDS = 1.0
log = logging.getLogger(__name__)


class LedgerWaits:
    """Thread-safe. `ended` says which of the operations have ended."""

    def __init__(self, completions: Completions, ended: Callable[[Collection[str]], Collection[str]]) -> None:
        self._completions = completions
        self._ended = ended
        self._lock = threading.Lock()
        self._waiting: dict[Future[None], frozenset[str]] = {}
        self._thread: threading.Thread | None = None
        self.looks = 0  # a caller remembers it before it looks itself, and says it when it begins to wait

    async def until_ended(self, operation_ids: Collection[str], seen_looks: int, timeout_seconds: float) -> None:
        """Returns once all have ended, or when the time is over. It holds no thread."""
        called: Future[None] = Future()
        with self._lock:
            self._waiting[called] = frozenset(operation_ids)
            has_looked_since = self.looks != seen_looks
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="waiting for the ledger", daemon=True)
                self._thread.start()
        if has_looked_since:  # what that look was for may be what this caller waits for
            self._completions.notify()
        try:
            await asyncio.wait([asyncio.wrap_future(called)], timeout=timeout_seconds)
        finally:
            called.cancel()
            with self._lock:
                self._waiting.pop(called, None)

    def _run(self) -> None:
        """Ends when nobody waits."""
        while True:
            self._completions.wait(self._look, LOOK_AGAIN_SECONDS)
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return

    def _look(self) -> None:
        """Calls all whose operations have ended."""
        with self._lock:
            self.looks += 1
            waiting = dict(self._waiting)
        try:
            ended = frozenset(self._ended(set(chain.from_iterable(waiting.values())))) if waiting else frozenset()
        except Exception:
            log.warning("those who wait for the ledger are looked for again in a second", exc_info=True)
            return
        for called, operation_ids in waiting.items():
            if operation_ids <= ended and called.set_running_or_notify_cancel():
                called.set_result(None)
                with self._lock:
                    self._waiting.pop(called, None)
