"""Max-min fair shares: who uses less than capacity ÷ active callers is never refused and never waits behind who uses more.

A caller here is a principal: a brand with all its keys, the operator, or everyone without a key together.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.values.errors import Overloaded, TooManyRequests


@dataclass(frozen=True, slots=True)
class PaceLeft:
    """What a caller may still ask for in the second that ends in `reset_seconds`; `share` is what it may always."""

    share: int
    remaining: int
    reset_seconds: int = 1


class Pace:
    """Requests a second. What others leave of the capacity may be used beyond the share."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._second = -1
        self._taken: Counter[str] = Counter()
        self._before: Counter[str] = Counter()

    def take(self, principal: str, now: float) -> PaceLeft:
        """One request more. Raises TooManyRequests above the share while the capacity is used up."""
        second = int(now)
        if second != self._second:
            self._before = self._taken if second == self._second + 1 else Counter()
            self._second, self._taken = second, Counter()
        share = max(1, self._capacity // len({principal, *self._taken, *self._before}))
        taken, all_taken = self._taken[principal], self._taken.total()
        if taken >= share and all_taken >= self._capacity:
            raise TooManyRequests("more requests than your share: try again in a second", requests_per_second=share)
        self._taken[principal] += 1
        return PaceLeft(share, max(share - taken, self._capacity - all_taken) - 1)


class Lane:
    """`place` bounds what is in flight, turns what works at once. On one event loop."""

    def __init__(self, slots: int, places: int) -> None:
        self._slots = slots
        self._places = places
        self._in_flight: Counter[str] = Counter()
        self._working: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @contextmanager
    def place(self, principal: str) -> Iterator[None]:
        """Raises TooManyRequests for a caller with its share in flight."""
        share = max(1, self._places // len({principal, *self._in_flight}))
        if self._in_flight[principal] >= share:
            raise TooManyRequests("more requests at the same time than your share: wait for answers", requests_in_flight=share)
        self._in_flight[principal] += 1
        try:
            yield
        finally:
            _less(self._in_flight, principal)

    async def take_turn(self, principal: str, patience_seconds: float) -> None:
        """Waits for a slot. Nobody has all of them, so that a newcomer finds one. Raises Overloaded where the wait is too long."""
        if principal in self._waiting or not self._may_work(principal):
            await self._wait(principal, patience_seconds)
        else:
            self._working[principal] += 1

    def end_turn(self, principal: str) -> None:
        """Gives the slot back: to who waits for one."""
        _less(self._working, principal)
        self._next()

    async def _wait(self, principal: str, patience_seconds: float) -> None:
        """Returns with a slot, which `_next` has counted."""
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(principal, deque()).append(called)
        try:
            async with asyncio.timeout(patience_seconds):
                await called
        except BaseException as error:
            if called.done() and not called.cancelled():
                self.end_turn(principal)
            elif called in self._waiting.get(principal, ()):
                self._waiting[principal].remove(called)
                if not self._waiting[principal]:
                    del self._waiting[principal]
            if isinstance(error, TimeoutError):
                raise Overloaded("the gateway is busy: try again in a few seconds") from error
            raise

    def _may_work(self, principal: str) -> bool:
        active = len({principal, *self._working, *self._waiting})
        return self._working.total() < self._slots and self._working[principal] < max(1, self._slots // (active + 1))

    def _next(self) -> None:
        """Calls who waits, those first who have least at work; among equals the one that was not called for longest."""
        while ready := [one for one in self._waiting if self._may_work(one)]:
            first = min(ready, key=lambda one: self._working[one])
            queue = self._waiting.pop(first)
            called = queue.popleft()
            if queue:
                self._waiting[first] = queue
            if not called.done():
                self._working[first] += 1
                called.set_result(None)


class Turn:
    """A request's slot in its lane, which it gives back while it has nothing to do but to wait."""

    def __init__(self, lane: Lane, principal: str, patience_seconds: float) -> None:
        self._lane = lane
        self._principal = principal
        self._patience_seconds = patience_seconds
        self._is_taken = False

    async def take(self) -> None:
        await self._lane.take_turn(self._principal, self._patience_seconds)
        self._is_taken = True

    def give_back(self) -> None:
        if self._is_taken:
            self._is_taken = False
            self._lane.end_turn(self._principal)


def _less(counts: Counter[str], principal: str) -> None:
    counts[principal] -= 1
    if not counts[principal]:
        del counts[principal]
