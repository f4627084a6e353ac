"""The same blocks on other engines, at the same state: stock py-evm, anvil and revm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from scripts.benchmarks.anvil import Anvil
from scripts.benchmarks.durable_ledger import DurableLedger
from scripts.benchmarks.figures import Clock, Figures, rates
from scripts.benchmarks.issuing import CHAIN_ID
from scripts.benchmarks.stock_chain import StockChain

if TYPE_CHECKING:
    from scripts.benchmarks.revm import Revm  # pyrevm need not be installed


@dataclass
class Rivals:
    """Anvil and revm keep up with the node's chain block by block; stock py-evm starts from any block's stored state."""

    ledger: DurableLedger
    anvil: Anvil | None = None
    revm: Revm | None = None
    _height: dict[str, int] = field(default_factory=lambda: {"anvil": 0, "revm": 0})

    def catch_up(self) -> None:
        """Everything the node sealed since, as fast as may be."""
        if self.anvil:
            self.anvil.catch_up([raw for number in self._since("anvil") for raw in self.ledger.raw_block(number)])
        if self.revm:
            self.revm.run([raw for number in self._since("revm") for raw in self.ledger.raw_block(number)])

    def stock(self, number: int, entries: int) -> Figures:
        """Block `number` executed again by stock py-evm, to the same state root."""
        history = self.ledger.history
        header, parent = history.header(number), history.header(number - 1)
        raw = self.ledger.raw_block(number)
        chain = StockChain(CHAIN_ID, history.read_node, parent.state_root, parent.timestamp - 1)
        clock = Clock()
        chain.seal(raw, timestamp=header.timestamp, coinbase=header.coinbase)
        figures = clock.rates(entries)
        if chain.state_root != header.state_root:
            raise RuntimeError(f"stock py-evm and the node differ on block {number}")
        return figures

    def on_anvil(self, entries: int) -> Figures | None:
        """The blocks the node sealed since; None without anvil."""
        if self.anvil is None:
            return None
        blocks = [self.ledger.raw_block(number) for number in self._since("anvil")]
        start, cpu = perf_counter(), self.anvil.node.cpu_seconds
        for raw in blocks:
            self.anvil.seal(raw)
        return rates(entries, perf_counter() - start, self.anvil.node.cpu_seconds - cpu)

    def on_revm(self, entries: int) -> Figures | None:
        if self.revm is None:
            return None
        seconds = self.revm.run([raw for number in self._since("revm") for raw in self.ledger.raw_block(number)])
        return rates(entries, seconds)

    def same_on_anvil(self, slots: Sequence[int]) -> bool | None:
        """Whether these slots of the contract hold the same on both; None without anvil.

        Not by the storage hash: anvil puts slots that were read while empty into the trie, with zero in them.
        """
        if self.anvil is None:
            return None
        self.catch_up()
        address = self.ledger.issuer.address
        return all(self.ledger.storage_at(slot) == self.anvil.storage_at(address, slot) for slot in slots)

    def _since(self, engine: str) -> range:
        first, self._height[engine] = self._height[engine] + 1, self.ledger.height
        return range(first, self.ledger.height + 1)
