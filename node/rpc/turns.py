"""One long request runs at a time, a slice each, in the order in which they asked: one interpreter runs no two of them faster.

Some native code neither has a pulse nor lets the interpreter go (a Blake2 of many rounds). After it nothing long runs for a while.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from node.chain.budget import Budget

SLICE_SECONDS = 0.01
KEPT_SECONDS, REST_SECONDS = 0.5, 0.25  # who was not heard of for so long may have kept the interpreter: then all else comes first

Result = TypeVar("Result")


class Turns:
    """Whoever has the turn passes it on at a pulse of its budget."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    def run(self, work: Callable[[], Result], budget: Budget) -> Result:
        """The work, by turns with others'. If none is left to take before its time is over, it begins without, and its budget ends it."""
        turn = _Turn(self, budget)
        turn.take()
        budget.give_way = turn.give_way
        try:
            return work()
        finally:
            turn.end()

    @property
    def wanted(self) -> bool:
        return bool(self._waiting)

    def take(self, seconds: float) -> bool:
        """False if it did not come within so many seconds."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(max(0.0, seconds)):
            return True
        with self._lock:
            if mine.is_set():  # just now
                return True
            self._waiting.remove(mine)
            return False

    def pass_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False


class _Turn:
    """One request's."""

    def __init__(self, turns: Turns, budget: Budget) -> None:
        self._turns, self._budget = turns, budget
        self._held, self._until, self._heard_of = False, 0.0, 0.0

    def take(self) -> None:
        self._held = self._turns.take(self._budget.seconds_left)
        self._heard_of = time.monotonic()
        self._until = self._heard_of + SLICE_SECONDS

    def give_way(self) -> None:
        if not self._held:
            return
        self._rest_if_it_kept_the_interpreter()
        if self._turns.wanted and self._heard_of >= self._until:
            self._turns.pass_on()
            self.take()

    def end(self) -> None:
        if self._held:
            self._rest_if_it_kept_the_interpreter()
            self._turns.pass_on()

    def _rest_if_it_kept_the_interpreter(self) -> None:
        before, self._heard_of = self._heard_of, time.monotonic()
        if self._heard_of - before > KEPT_SECONDS:
            time.sleep(REST_SECONDS)
            self._heard_of = time.monotonic()
