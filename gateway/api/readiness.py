"""Whether requests can be accepted. Looked up in a thread of its own, for all who ask within a second at once: anybody may ask."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic

from gateway.values.errors import Refusal

KNOWN_SECONDS = 1.0
PATIENCE_SECONDS = 5.0


class Readiness:
    """Thread-safe. `is_ready` may raise a Refusal, which is a no."""

    def __init__(self, is_ready: Callable[[], bool]) -> None:
        self._is_ready = is_ready
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._look: Future[bool] = Future()
        self._look.set_result(False)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="readiness")

    async def now(self) -> bool:
        """At most a second old; False where no answer comes."""
        with self._lock:
            if self._look.done() and monotonic() - self._looked_at > KNOWN_SECONDS:
                self._look, self._looked_at = self._thread.submit(self._ask), monotonic()
            look = self._look
        done, _ = await asyncio.wait([asyncio.ensure_future(asyncio.shield(asyncio.wrap_future(look)))], timeout=PATIENCE_SECONDS)
        return any(one.result() for one in done)

    def close(self) -> None:
        self._thread.shutdown(wait=True)

    def _ask(self) -> bool:
        try:
            return self._is_ready()
        except Refusal:
            return False
