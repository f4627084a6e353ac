"""Work that waits at the same time is done in one go: what it costs once is paid once for all of it.

Whoever comes first works for all who have come meanwhile; nobody waits for company.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

Wanted = TypeVar("Wanted")
Result = TypeVar("Result")

MOST_IN_ONE_GO = 200


class Unfinished(Exception):
    """Who worked for all was ended before it was done: whether the work was, is not known."""


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
            for each, outcome in zip(some, _outcomes(self._do_all, [each.item for each in some]), strict=True):
                each.outcome, each.is_done = outcome, True
        finally:
            for each in some:
                if not each.is_done:
                    each.outcome, each.is_done = Unfinished(), True


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
        some: list[tuple[Wanted, asyncio.Future[Result]]] = []
        try:
            while self._waiting:
                some = self._waiting[:MOST_IN_ONE_GO]
                del self._waiting[:MOST_IN_ONE_GO]
                items = [item for item, _ in some]
                outcomes = await asyncio.to_thread(partial[Sequence[Result | Exception]](_outcomes, self._do_all, items))
                for (_, answer), outcome in zip(some, outcomes, strict=True):
                    _give(answer, outcome)
        finally:
            for _, answer in (*some, *self._waiting):
                _give(answer, Unfinished())
            self._waiting.clear()
            self._working = None


def _outcomes(do_all: Callable[[Sequence[Wanted]], Sequence[Result | Exception]], items: Sequence[Wanted]) -> Sequence[Result | Exception]:
    """One for each item, whatever comes of it."""
    try:
        outcomes = do_all(items)
        if len(outcomes) != len(items):
            raise ValueError(f"{len(outcomes)} outcomes for {len(items)} items")
    except Exception as error:
        return [error] * len(items)
    return outcomes


def _give(answer: asyncio.Future[Result], outcome: Result | Exception) -> None:
    if answer.done():  # who asked has gone, or has its answer
        return
    if isinstance(outcome, StopIteration):  # which no future takes
        outcome = RuntimeError(repr(outcome))
    answer.set_exception(outcome) if isinstance(outcome, Exception) else answer.set_result(outcome)
