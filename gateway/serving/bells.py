"""How processes that were forked from one another wake each other: nothing is said but that there is something to look for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable


class Bell:
    """Made before the fork, it is one bell for all. A ring while nobody listens is heard later; many are heard as one."""

    def __init__(self) -> None:
        self._event = os.eventfd(0, os.EFD_CLOEXEC)

    def ring(self) -> None:
        os.eventfd_write(self._event, 1)

    def listen(self, called: Callable[[], None]) -> None:
        """Calls at each ring, in a thread of its own, as long as this process lives."""
        threading.Thread(target=self._listen, args=(called,), name="bell", daemon=True).start()

    def _listen(self, called: Callable[[], None]) -> None:
        while True:
            os.eventfd_read(self._event)
            called()
