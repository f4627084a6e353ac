"""How long code may run that nobody pays for. Sealing has no such limit: there gas is bounded, and the outcome is law."""

import time
from collections.abc import Callable

from node.chain.errors import OutOfTime

CALL_SECONDS_MAX = 10.0

Pulse = Callable[[], None]


def time_limit(seconds: float = CALL_SECONDS_MAX) -> Pulse:
    """To be called every now and then while code runs; raises OutOfTime once `seconds` from now are over."""
    end = time.monotonic() + seconds

    def pulse() -> None:
        if time.monotonic() > end:
            raise OutOfTime(f"execution aborted (timeout = {seconds:g}s)")

    return pulse
