"""Lets a caller wait until something it looks for has come to stand in the database: whoever changes the database says so here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

Found = TypeVar("Found")


class Completions:
    """Thread-safe. A change between the look and the wait is never missed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._changes = 0

    def notify(self) -> None:
        """Says that the database has changed; call it after the commit."""
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def wait(self, look: Callable[[], Found | None], timeout_seconds: float) -> Found | None:
        """What `look` finds, as soon as it finds something; None when the time is over. Looks at least once."""
        until = monotonic() + timeout_seconds
        while True:
            with self._changed:
                seen = self._changes
            found = look()
            if found is not None:
                return found
            with self._changed:
                if not self._changed.wait_for(lambda seen=seen: self._changes != seen, max(0.0, until - monotonic())):  # type: ignore[misc]
                    return None
