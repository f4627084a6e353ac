"""What a request may take, single or batch: time, and bytes of answers. All that is done for it draws on the one budget."""

import time
from collections.abc import Callable

from node.chain.errors import ChainError
from node.chain.time_limit import CALL_SECONDS_MAX, Pulse, time_limit

REQUEST_SECONDS_MAX = 30.0  # as geth
HELD_BYTES_MAX = 25_000_000  # in memory for one answer in the making: traces, logs, simulated blocks
ANSWERS_BYTES_MAX = 25_000_000  # together, as geth

Hold = Callable[[int], None]  # Budget.hold, for who needs no more of it


class BudgetSpent(ChainError):
    """Nothing more is done for this request."""


class RequestTimedOut(BudgetSpent):
    pass


class ResponseTooLarge(BudgetSpent):
    pass


class Budget:
    """Counts from when it is made. Safe to `end` from another thread; all else is for the one that answers."""

    def __init__(
        self,
        seconds: float = REQUEST_SECONDS_MAX,
        held_bytes_max: int = HELD_BYTES_MAX,
        answers_bytes_max: int = ANSWERS_BYTES_MAX,
    ) -> None:
        self._end = time.monotonic() + seconds
        self._held_bytes_max, self._held = held_bytes_max, 0
        self._bytes_left = answers_bytes_max
        self._refusal: ChainError | None = None
        self.give_way: Callable[[], None] = _goes_on  # at each pulse, for who runs by turns with others

    def pulse(self) -> None:
        """To be called every now and then by whatever may take long."""
        self.give_way()
        if time.monotonic() > self._end:
            raise RequestTimedOut("request timed out")

    def call_limit(self, seconds: float = CALL_SECONDS_MAX) -> Pulse:
        """For one call of code within the request."""
        return time_limit(seconds, within=self.pulse)

    def hold(self, count: int) -> None:
        """So many bytes more are gathered for the answer in the making. For answers that no limit of their own keeps small."""
        self._held += count
        if self._held > self._held_bytes_max:
            raise ResponseTooLarge("response too large")

    def answered(self, count: int) -> None:
        """An answer is made, and so long."""
        self._bytes_left -= count
        self._held = 0

    def check(self) -> None:
        """Before another answer is begun. As geth: the one that goes over the limit is still given."""
        if self._refusal is not None:
            raise self._refusal
        self.pulse()
        if self._bytes_left < 0:
            raise ResponseTooLarge("response too large")

    @property
    def seconds_left(self) -> float:
        return self._end - time.monotonic()

    def refuse(self, reason: ChainError) -> None:
        """No further answer is begun, for this reason."""
        self._refusal = reason

    def end(self) -> None:
        """Nobody waits for the answers any more."""
        self._end = 0.0


def _goes_on() -> None:
    pass
