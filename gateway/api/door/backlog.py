"""How many operations wait for the ledger: above the stated bound a brand with its share of them is asked to come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic

import anyio.to_thread

from gateway.values.errors import Overloaded

COUNTED_SECONDS = 1.0


class Backlog:
    """`count` gives the operations that wait, by principal, or nothing below the bound. It is asked once a second at most, and only while
    something is written."""

    def __init__(self, bound: int, count: Callable[[int], Mapping[str, int]]) -> None:
        self._bound = bound
        self._count = count
        self._waiting: Mapping[str, int] = {}
        self._counted_at = float("-inf")
        self._lock = asyncio.Lock()

    async def check(self, principal: str) -> None:
        """Raises Overloaded for a caller above bound ÷ callers with something waiting, once all together are above the bound."""
        if monotonic() - self._counted_at > COUNTED_SECONDS:
            async with self._lock:
                if monotonic() - self._counted_at > COUNTED_SECONDS:
                    self._waiting = await anyio.to_thread.run_sync(self._count, self._bound)
                    self._counted_at = monotonic()
        if sum(self._waiting.values()) < self._bound:
            return
        share = self._bound // len({principal, *self._waiting})
        if self._waiting.get(principal, 0) >= share:
            raise Overloaded("too many operations wait for the ledger: try again in a few seconds", operations_waiting=self._bound)
