"""Work that waits at the same time is done in one go: what it costs once is paid once for all of it.

Whoever comes first works for all who have come meanwhile; nobody waits for company.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Wanted = TypeVar("Wanted")
Result = TypeVar("Result")

MOST_IN_ONE_GO = 200


@dataclass(slots=True)
class _Waiting(Generic[Wanted, Result]):
    item: Wanted
    outcome: Result | Exception | None = None
    is_done: bool = False


class Together(Generic[Wanted, Result]):
    """Thread-safe. `do_all` gives an outcome for each item, in their order; what it raises is raised to all of them."""

    def __init__(self, do_all: Callable[[Sequence[Wanted]], Sequence[Result | Exception]]) -> None:
        self._do_all = do_all
        self._waiting: deque[_Waiting[Wanted, Result]] = deque()
        self._turn = threading.Lock()

    def do(self, item: Wanted) -> Result:
        """The item's result; raises the exception that is its outcome."""
        mine: _Waiting[Wanted, Result] = _Waiting(item)
        self._waiting.append(mine)
        while not mine.is_done:
            with self._turn:
                if not mine.is_done:
                    self._work()
        if isinstance(mine.outcome, Exception):
            raise mine.outcome
        return mine.outcome  # type: ignore[return-value]  # done and no exception: a result

    def _work(self) -> None:
        """For the oldest of those who wait."""
        some = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_IN_ONE_GO))]
        try:
            outcomes = self._do_all([each.item for each in some])
        except Exception as error:
            outcomes = [error] * len(some)
        for each, outcome in zip(some, outcomes, strict=True):
            each.outcome, each.is_done = outcome, True


class TogetherSoon(Generic[Wanted, Result]):
    """The same for the coroutines of one event loop: who waits holds no thread, one thread works for all."""

    def __init__(self, do_all: Callable[[Sequence[Wanted]], Sequence[Result | Exception]]) -> None:
        self._do_all = do_all
        self._waiting: list[tuple[Wanted, asyncio.Future[Result]]] = []
        self._working: asyncio.Task[None] | None = None

    async def do(self, item: Wanted) -> Result:
        """The item's result; raises the exception that is its outcome."""
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                some = self._waiting[:MOST_IN_ONE_GO]
                del self._waiting[:MOST_IN_ONE_GO]
                outcomes: Sequence[Result | Exception]
                try:
                    outcomes = await asyncio.to_thread(self._do_all, [item for item, _ in some])
                except Exception as error:
                    outcomes = [error] * len(some)
                for (_, answer), outcome in zip(some, outcomes, strict=True):
                    if answer.done():  # who asked has gone
                        continue
                    answer.set_exception(outcome) if isinstance(outcome, Exception) else answer.set_result(outcome)
        finally:
            self._working = None
