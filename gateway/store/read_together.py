"""Views that callers ask for at the same time are read in one snapshot, by one set of statements."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeVar

from gateway.store.together import Together, TogetherSoon
from gateway.store.unit_of_work import UnitOfWork

Name = TypeVar("Name")
View = TypeVar("View")


class ShownTogether:
    """`find` is for any thread, `find_soon` for coroutines of one event loop."""

    def __init__(self, reading: Callable[[], AbstractContextManager[UnitOfWork]]) -> None:
        self._reading = reading
        self._lock = threading.Lock()
        self._of: dict[Any, Together[Any, Any]] = {}
        self._soon: dict[Any, TogetherSoon[Any, Any]] = {}

    def find(self, find_all: Callable[[UnitOfWork, Sequence[Name]], Mapping[Name, View]], key: Name) -> View | None:
        """What `find_all` finds for the key; it is asked for all the keys that are wanted by now."""
        with self._lock:
            if find_all not in self._of:
                self._of[find_all] = Together(partial(self._read, find_all))
        found: View | None = self._of[find_all].do(key)
        return found

    async def find_soon(self, find_all: Callable[[UnitOfWork, Sequence[Name]], Mapping[Name, View]], key: Name) -> View | None:
        """As `find`, and holds no thread: all who ask while one look is under way share the next."""
        if find_all not in self._soon:
            self._soon[find_all] = TogetherSoon(partial(self._read, find_all))
        found: View | None = await self._soon[find_all].do(key)
        return found

    def _read(self, find_all: Callable[[UnitOfWork, Sequence[Name]], Mapping[Name, View]], keys: Sequence[Name]) -> list[View | None]:
        with self._reading() as work:
            found = find_all(work, list(dict.fromkeys(keys)))
        return [found.get(key) for key in keys]
