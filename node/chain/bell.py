"""Tells whoever listens that there may be something new to read; what it is they look up themselves."""

import threading
from collections.abc import Callable


class Bell:
    """Listeners run on the ringing thread: they must return at once and not raise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Callable[[], None], ...] = ()

    def listen(self, listener: Callable[[], None]) -> None:
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def leave(self, listener: Callable[[], None]) -> None:
        with self._lock:
            self._listeners = tuple(item for item in self._listeners if item is not listener)

    def ring(self) -> None:
        for listener in self._listeners:
            listener()
