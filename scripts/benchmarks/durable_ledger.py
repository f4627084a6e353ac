"""The points ledger on the embedded node's own chain, on disk: raw transactions in, and back when their block is durable."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_typing import Address

from node.app import open_chain, tuned_interpreter
from node.chain.execution import state_of
from node.chain.history import History
from node.chain.pool import Pool
from node.chain.ports import BlockStore, Writes
from node.config import DataDirectory
from node.producer import BlockProducer
from node.rpc.ports import NodeView
from scripts.benchmarks.artifacts import event
from scripts.benchmarks.issuing import CHAIN_ID, OPERATOR, Issuer

SEALED_WITHIN_SECONDS = 120


@dataclass
class DurableLedger:
    """`commits` gathers how long each block's write to the disk took."""

    node: NodeView
    issuer: Issuer
    commits: list[float] = field(default_factory=list)
    _sealed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.history.new_head.listen(self._sealed.set)
        self.burst(self.issuer.deployment())

    @property
    def history(self) -> History:
        return self.node.history

    @property
    def height(self) -> int:
        return int(self.history.head.block_number)

    def burst(self, transactions: Sequence[bytes]) -> None:
        """Hands all over at once: as many share a block as fit. Returns when all are in durable blocks."""
        for transaction_hash in [self.node.producer.submit(raw) for raw in transactions]:
            self._wait_for(transaction_hash)

    def stream(self, transactions: Sequence[bytes]) -> None:
        """Keeps one waiting while the one before it is in the making: a steady load, a block for each."""
        before: bytes | None = None
        for raw in transactions:
            submitted = self.node.producer.submit(raw)
            if before is not None:
                self._wait_for(before)
            before = submitted
        if before is not None:
            self._wait_for(before)

    def one_by_one(self, transactions: Sequence[bytes]) -> list[float]:
        """Seconds from handing one over to reading its receipt in a durable block, for each."""
        taken = []
        for raw in transactions:
            start = time.perf_counter()
            block, index = self._wait_for(self.node.producer.submit(raw))
            assert self.history.receipts(block)[index].succeeded
            taken.append(time.perf_counter() - start)
        return taken

    def in_blocks_of(self, size: int, transactions: Sequence[bytes]) -> None:
        """Exactly `size` in a block, one after the other."""
        producer = self.node.producer
        producer.set_pace(0)
        for first in range(0, len(transactions), size):
            for raw in transactions[first : first + size]:
                producer.submit(raw)
            producer.mine(1, None)
        producer.set_pace(None)

    def logs_issued(self, first: int, last: int) -> int:
        """How many ERC-1155 transfers these blocks logged. Raises if a transaction reverted."""
        topic, count = event("PointsLedger", "TransferSingle"), 0
        for number in range(first, last + 1):
            for receipt in self.history.receipts(number):
                if not receipt.succeeded:
                    raise RuntimeError(f"a transaction in block {number} reverted")
                count += sum(log.topics[0] == topic for log in receipt.logs)
        return count

    def raw_block(self, number: int) -> list[bytes]:
        return [transaction.raw for transaction in self.history.block(number).transactions]

    def storage_at(self, slot: int) -> int:
        return state_of(self.history, self.history.head).get_storage(Address(self.issuer.address), slot)

    def _wait_for(self, transaction_hash: bytes) -> tuple[int, int]:
        while True:
            self._sealed.clear()
            place = self.history.place_of(transaction_hash)
            if place is not None and place[0] <= self.height:  # a block is on disk a moment before it is the head
                return place
            if not self._sealed.wait(SEALED_WITHIN_SECONDS):
                raise RuntimeError(f"transaction 0x{transaction_hash.hex()} is in no block after {SEALED_WITHIN_SECONDS} s")


class _TimedStore:
    """A store that notes how long its commits take; reads go straight through."""

    def __init__(self, store: BlockStore, commits: list[float]) -> None:
        self._store, self._commits = store, commits
        self.get, self.close = store.get, store.close

    def commit(self, writes: Writes) -> None:
        start = time.perf_counter()
        self._store.commit(writes)
        self._commits.append(time.perf_counter() - start)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@contextmanager
def durable_ledger(directory: Path) -> Iterator[DurableLedger]:
    """A new chain in `directory` with the ledger deployed."""
    data = DataDirectory(directory)
    operator = Address(OPERATOR.public_key.to_canonical_address())
    config = data.initialize(chain_id=CHAIN_ID, sandbox=False, operators=(operator,), timestamp=int(time.time()))
    commits: list[float] = []
    with tuned_interpreter(), open_chain(data) as history:  # as when the node serves
        history.store = _TimedStore(history.store, commits)
        pool = Pool()
        producer = BlockProducer(history, pool, data.sealer_key(), time.time)
        producer.start()
        try:
            yield DurableLedger(NodeView(history, pool, producer, "benchmark"), Issuer(config.coalition_id, time.time()), commits)
        finally:
            producer.stop()
