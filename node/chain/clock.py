"""Which timestamp the next block gets. The wall clock comes in as an argument; nothing here reads it."""

import json
from dataclasses import dataclass, replace

from node.chain.errors import BadTimestamp, ClockBehind


@dataclass(frozen=True)
class ChainClock:
    """Chain time = wall clock + offset. Only a sandbox chain ever has an offset or an exact next timestamp."""

    sandbox: bool
    offset_seconds: int = 0
    next_exact: int | None = None

    def timestamp_after(self, parent_timestamp: int, wall_seconds: float) -> tuple[int, "ChainClock"]:
        """The next block's timestamp, and the clock from then on.

        A block may share its parent's second. Off the sandbox it never passes the wall clock: raises ClockBehind.
        """
        now = int(wall_seconds)
        if not self.sandbox:
            if now < parent_timestamp:
                raise ClockBehind(parent_timestamp - now)
            return now, self
        if self.next_exact is not None:
            return self.next_exact, replace(self, offset_seconds=self.next_exact - now, next_exact=None)
        timestamp = now + self.offset_seconds
        if timestamp < parent_timestamp:
            return parent_timestamp, replace(self, offset_seconds=parent_timestamp - now)
        return timestamp, self

    def set_next(self, timestamp: int, parent_timestamp: int) -> "ChainClock":
        if timestamp < parent_timestamp:
            raise BadTimestamp(f"timestamp {timestamp} is before the head block's {parent_timestamp}")
        return replace(self, next_exact=timestamp)

    def increase(self, seconds: int) -> "ChainClock":
        """Moves chain time forward; an exact next timestamp that was set moves with it."""
        if seconds < 0:
            raise BadTimestamp("time only moves forward")
        exact = None if self.next_exact is None else self.next_exact + seconds
        return replace(self, offset_seconds=self.offset_seconds + seconds, next_exact=exact)


def encode(clock: ChainClock) -> bytes:
    return json.dumps({"offset_seconds": clock.offset_seconds, "next_exact": clock.next_exact}).encode()


def decode(stored: bytes, sandbox: bool) -> ChainClock:
    fields = json.loads(stored)
    return ChainClock(sandbox, fields["offset_seconds"], fields["next_exact"])


def clock_at_genesis(sandbox: bool, genesis_timestamp: int, wall_seconds: float) -> ChainClock:
    """A sandbox chain's time runs on from its genesis, whenever that was."""
    return ChainClock(sandbox, genesis_timestamp - int(wall_seconds) if sandbox else 0)
