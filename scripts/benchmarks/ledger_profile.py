"""Where the time of a batch goes: blocks built and committed on this thread, as the producer does it, under cProfile."""

from __future__ import annotations

import cProfile
import pstats
import sys
import time
from collections.abc import Sequence

from eth_keys.datatypes import PrivateKey

from node.chain.blocks import Environment, execute_block
from node.chain.history import History, block_writes
from node.chain.rules import sealed_gas_max
from node.chain.sealing import seal
from node.chain.transactions import decode

ROWS = 45


def profile_blocks(history: History, key: PrivateKey, transactions: Sequence[bytes]) -> None:
    """Seals each transaction as a block of its own and prints a profile. The producer must be at rest."""
    profiler = cProfile.Profile()
    start = time.perf_counter()
    profiler.enable()
    for raw in transactions:
        _seal(history, key, raw)
    profiler.disable()
    seconds = time.perf_counter() - start
    print(f"{1_000 * seconds / len(transactions):.1f} ms a block under the profiler", file=sys.stderr)
    for order in ("tottime", "cumulative"):
        pstats.Stats(profiler, stream=sys.stderr).sort_stats(order).print_stats(ROWS)


def _seal(history: History, key: PrivateKey, raw: bytes) -> None:
    transaction = decode(raw)
    config, head = history.config, history.head
    environment = Environment(config.chain_id, head, history.read_node, history.previous_hashes, history.nodes)
    execution = execute_block(
        environment, [transaction], timestamp=head.timestamp, coinbase=config.sealer, gas_max=sealed_gas_max(config.gas_limit)
    )
    if not execution.receipts or not execution.receipts[0].succeeded:
        raise RuntimeError("a profiled batch reverted")
    history.store.commit(block_writes(execution, seal(key, history.genesis_hash, execution.header.hash)))
    history.advance(execution.header)
