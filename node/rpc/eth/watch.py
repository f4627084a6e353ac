"""What is new since the last look: heads, logs or waiting transactions. Filters are asked, subscriptions push; both look here.

A watch holds a place in the chain, not a queue: whoever reads slowly costs no memory and misses no block.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from node.chain.history import FoundLog, History
from node.chain.logs import LogFilter
from node.chain.pool import Pool
from node.chain.transactions import Transaction
from node.rpc.hex import to_data
from node.rpc.shapes import header_view, log_view, transaction_view

BLOCKS_PER_LOOK = 1_000
LOGS_PER_LOOK = 10_000
Watch = Callable[[], list[Any]]  # each call returns what came since the one before


class HeadWatch:
    """Headers as `newHeads` shows them, or their hashes as a block filter does."""

    def __init__(self, history: History, *, hashes_only: bool) -> None:
        self._history, self._hashes_only = history, hashes_only
        self._seen = int(history.head.block_number)

    def __call__(self) -> list[Any]:
        last = min(int(self._history.head.block_number), self._seen + BLOCKS_PER_LOOK)
        headers = [self._history.header(number) for number in range(self._seen + 1, last + 1)]
        self._seen = last
        return [to_data(header.hash) if self._hashes_only else header_view(header) for header in headers]


@dataclass(frozen=True)
class LogCriteria:
    """What a log filter asks for. A bound that is None moves with the head."""

    wanted: LogFilter
    first: int | None = None
    last: int | None = None


class LogWatch:
    """Logs of blocks sealed after the watch began, within the criteria's bounds."""

    def __init__(self, history: History, criteria: LogCriteria) -> None:
        self._history, self._criteria = history, criteria
        self._seen = int(history.head.block_number)
        self.size = criteria.wanted.size  # of addresses and topics

    def __call__(self) -> list[Any]:
        found = list[FoundLog]()
        head = min(int(self._history.head.block_number), self._seen + BLOCKS_PER_LOOK)
        first, last = (
            max(self._seen + 1, self._criteria.first or 0),
            min(head, head if self._criteria.last is None else self._criteria.last),
        )
        for number, logs in self._history.logs_by_block(self._criteria.wanted, first, last):
            found += logs
            if len(found) >= LOGS_PER_LOOK:
                head = number
                break
        self._seen = head
        return [log_view(item) for item in found]


class PendingWatch:
    """Transactions as they enter the pool: hashes, or whole."""

    def __init__(self, history: History, pool: Pool, *, whole: bool) -> None:
        self._history, self._pool, self._whole = history, pool, whole
        self._seen = pool.arrivals

    def __call__(self) -> list[Any]:
        hashes, self._seen = self._pool.arrived_since(self._seen)
        if not self._whole:
            return [to_data(item) for item in hashes]
        return [transaction_view(found) for item in hashes if (found := self._transaction(item)) is not None]

    def _transaction(self, transaction_hash: bytes) -> Transaction | None:
        waiting = self._pool.get(transaction_hash)
        if waiting is not None:
            return waiting
        place = self._history.place_of(transaction_hash)
        return None if place is None else self._history.block(place[0]).transactions[place[1]]
