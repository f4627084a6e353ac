"""Views that callers ask for at the same time are read in one snapshot, by one set of statements."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from gateway.store.together import MOST_IN_ONE_GO, Together
from gateway.store.unit_of_work import UnitOfWork

Name = TypeVar("Name")
View = TypeVar("View")


class ShownTogether:
    """`find` is for any thread, `find_soon` for coroutines of one event loop."""

    def __init__(self, reading: Callable[[], AbstractContextManager[UnitOfWork]]) -> None:
        self._reading = reading
        self._lock = threading.Lock()
        self._of: dict[Any, Together[Any, Any]] = {}
        self._asked: dict[Any, list[tuple[Any, asyncio.Future[Any]]]] = {}
        self._looks: dict[Any, asyncio.Task[None]] = {}

    def find(self, find_all: Callable[[UnitOfWork, Sequence[Name]], Mapping[Name, View]], key: Name) -> View | None:
        """What `find_all` finds for the key; it is asked for all the keys that are wanted by now."""
        with self._lock:
            if find_all not in self._of:
                self._of[find_all] = Together(lambda keys: self._read(find_all, keys))
        found: View | None = self._of[find_all].do(key)
        return found

    async def find_soon(self, find_all: Callable[[UnitOfWork, Sequence[Name]], Mapping[Name, View]], key: Name) -> View | None:
        """As `find`, and holds no thread: all who ask while one look is under way share the next."""
        answer: asyncio.Future[View | None] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(find_all, []).append((key, answer))
        if find_all not in self._looks:
            self._looks[find_all] = asyncio.create_task(self._look(find_all))
        return await answer

    async def _look(self, find_all: Callable[[UnitOfWork, Sequence[Name]], Mapping[Name, View]]) -> None:
        asked, loop = self._asked[find_all], asyncio.get_running_loop()
        try:
            while asked:
                some = asked[:MOST_IN_ONE_GO]
                del asked[:MOST_IN_ONE_GO]
                outcomes: Sequence[Any]
                try:
                    outcomes = await loop.run_in_executor(None, self._read, find_all, [key for key, _ in some])
                except Exception as error:
                    outcomes = [error] * len(some)
                for (_, answer), outcome in zip(some, outcomes, strict=True):
                    if answer.done():  # who asked has gone
                        continue
                    answer.set_exception(outcome) if isinstance(outcome, Exception) else answer.set_result(outcome)
        finally:
            del self._looks[find_all]

    def _read(self, find_all: Callable[[UnitOfWork, Sequence[Name]], Mapping[Name, View]], keys: Sequence[Name]) -> list[View | None]:
        with self._reading() as work:
            found = find_all(work, list(dict.fromkeys(keys)))
        return [found.get(key) for key in keys]
