"""What is to be simulated: blocks in order, each with its header's changes, its accounts' changes and its calls."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from node.chain.errors import ChainError, TooMuch
from node.chain.execution import Call
from node.chain.overrides import Overrides
from node.chain.rules import Header

BLOCKS_MAX = 256
SECONDS_APART = 12  # as geth: between blocks that name no time


class NumbersOutOfOrder(ChainError):
    """A block that does not come after the one before it."""


class TimestampsOutOfOrder(ChainError):
    """A block that is not later than the one before it."""


@dataclass(frozen=True)
class PlannedCall:
    """`nonce` and `gas` stand where the caller named them; those within `message` count for nothing."""

    message: Call
    nonce: int | None = None
    gas: int | None = None
    legacy: bool = False  # priced by a gas price alone


@dataclass(frozen=True)
class PlannedBlock:
    """`header` holds fields to change, by the header's own names; number and timestamp are apart."""

    number: int | None = None
    timestamp: int | None = None
    header: Mapping[str, Any] = field(default_factory=dict)
    overrides: Overrides = field(default_factory=dict)
    calls: tuple[PlannedCall, ...] = ()


def in_order(base: Header, plans: Iterable[PlannedBlock]) -> Iterator[PlannedBlock]:
    """The plans with number and time filled in, and empty blocks where a number was skipped."""
    number, timestamp = int(base.block_number), base.timestamp
    for plan in plans:
        wanted = number + 1 if plan.number is None else plan.number
        if wanted <= number:
            raise NumbersOutOfOrder(f"block numbers must be in order: {wanted} <= {number}")
        if wanted - base.block_number > BLOCKS_MAX:
            raise TooMuch(f"too many blocks: at most {BLOCKS_MAX}")
        while number + 1 < wanted:
            number, timestamp = number + 1, timestamp + SECONDS_APART
            yield PlannedBlock(number, timestamp)
        chosen = timestamp + SECONDS_APART if plan.timestamp is None else plan.timestamp
        if chosen <= timestamp:
            raise TimestampsOutOfOrder(f"block timestamps must be in order: {chosen} <= {timestamp}")
        number, timestamp = wanted, chosen
        yield replace(plan, number=number, timestamp=timestamp)
