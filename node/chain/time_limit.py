"""How long code may run that nobody pays for. Sealing has no such limit: there gas is bounded, and the outcome is law."""

import time
from collections.abc import Callable

from eth.abc import ComputationAPI

from node.chain.errors import OutOfTime

CALL_SECONDS_MAX = 10.0

Pulse = Callable[[], None]


def time_limit(seconds: float = CALL_SECONDS_MAX, within: Pulse | None = None) -> Pulse:
    """To be called every now and then while code runs; raises OutOfTime once `seconds` from now are over.

    `within` is the pulse of what this code is a part of, and may end it sooner.
    """
    end = time.monotonic() + seconds

    def pulse() -> None:
        if within is not None:
            within()
        if time.monotonic() > end:
            raise OutOfTime(f"execution aborted (timeout = {seconds:g}s)")

    return pulse


def pulse_of(computation: ComputationAPI) -> Pulse:
    """Of the state that it runs on; without one, code may take the time that its gas pays for."""
    return getattr(computation.state, "pulse", None) or _nobody_listens


def _nobody_listens() -> None:
    pass
