"""One question under way: how long it may still take, how much may still be read, and how it is broken off from another thread.

The bounds hold for the whole of it: whoever sends a byte now and then, or no end of them, gains nothing.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from time import monotonic


class BoundReached(Exception):
    """The question ends here, without an answer; the message says at which bound."""


class Question:
    """Made by the thread that asks; `break_off()` alone is for others."""

    def __init__(self, seconds: float, bytes_max: int) -> None:
        self._until = monotonic() + seconds
        self._bytes_max = bytes_max
        self._bytes_left = bytes_max
        self._socket: socket.socket | None = None
        self._is_broken_off = False

    def seconds_left(self) -> float:
        """Above zero. Raises BoundReached."""
        left = self._until - monotonic()
        if self._is_broken_off:
            raise BoundReached("the question was broken off")
        if left <= 0:
            raise BoundReached("its time is over")
        return left

    @property
    def is_late(self) -> bool:
        return monotonic() >= self._until

    def goes_through(self, connection: socket.socket) -> None:
        """Readies a socket for the next step, which ends in time."""
        self._socket = connection  # before the look at the clock: who breaks off sees it, or is seen
        connection.settimeout(self.seconds_left())

    def bytes_wanted(self, bytes_max: int) -> int:
        """How much to read next: one byte above the bound shows that it is passed."""
        return min(bytes_max, self._bytes_left + 1)

    def was_sent(self, count: int) -> None:
        """So many bytes came. Raises BoundReached."""
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise BoundReached(f"the answer has more than {self._bytes_max} bytes")

    def break_off(self) -> None:
        """Whatever it waits for ends at once."""
        self._is_broken_off = True
        connection = self._socket
        if connection is not None:
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # TLS's own goodbye would wait
