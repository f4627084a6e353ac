"""Views that callers ask for at the same time are read in one snapshot, by one set of statements."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from gateway.store.session import Database
from gateway.store.together import Together

Name = TypeVar("Name")
View = TypeVar("View")


class ShownTogether:
    """Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._of: dict[Any, Together[Any, Any]] = {}

    def find(self, find_all: Callable[[Session, Sequence[Name]], Mapping[Name, View]], key: Name) -> View | None:
        """What `find_all` finds for the key; it is asked for all the keys that are wanted by now."""
        with self._lock:
            if find_all not in self._of:
                self._of[find_all] = Together(lambda keys: self._read(find_all, keys))
        found: View | None = self._of[find_all].do(key)
        return found

    def _read(self, find_all: Callable[[Session, Sequence[Name]], Mapping[Name, View]], keys: Sequence[Name]) -> list[View | None]:
        with self._database.read() as session:
            found = find_all(session, list(dict.fromkeys(keys)))
        return [found.get(key) for key in keys]
