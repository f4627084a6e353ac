"""Blocks of a points ledger run again on another state class. `python -m tests.node.compiler.ledger_blocks` prints how fast
batches of 1,000 issues to existing members run, by py-evm and compiled, on the same tries."""

from __future__ import annotations

from dataclasses import dataclass
from time import process_time
from typing import Any

from eth.abc import BlockAPI, BlockHeaderAPI, SignedTransactionAPI
from eth.vm.execution_context import ExecutionContext
from eth.vm.state import BaseState
from eth_utils import keccak

from gateway.ledger.entries import Issue
from gateway.ledger.lots import expiry_day_for
from node.chain.state import StateOverlay
from node.chain.trie.accounts import BatchedAccounts
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import CHAIN_ID
from tests.builders.points_ledger import UTC_OFFSET_SECONDS, PointsLedger, member_named
from tests.node.compiler.states import CompiledState, StockState

BRAND = 1
ENTRIES = 1_000
ROUNDS = 5


@dataclass(frozen=True)
class Replayed:
    """What a block did, receipt by receipt: success, gas left, refund, output and logs."""

    state_root: bytes
    receipts: tuple[tuple[bool, int, int, bytes, Any], ...]


def blocks(ledger: PointsLedger) -> list[BlockAPI]:
    chain = ledger.chain._chain
    return [chain.get_canonical_block_by_number(number) for number in range(1, chain.get_canonical_head().block_number + 1)]


def replay(ledger: PointsLedger, block: BlockAPI, state_class: type[BaseState]) -> Replayed:
    state = state_before(ledger, block.header, state_class)
    receipts = tuple(_applied(state, transaction) for transaction in block.transactions)
    state.persist()
    return Replayed(state.state_root, receipts)


def state_before(ledger: PointsLedger, header: BlockHeaderAPI, state_class: type[BaseState]) -> BaseState:
    chain = ledger.chain._chain
    context = ExecutionContext(
        coinbase=header.coinbase,
        timestamp=header.timestamp,
        block_number=header.block_number,
        difficulty=0,
        mix_hash=header.mix_hash,
        gas_limit=header.gas_limit,
        prev_hashes=(),
        chain_id=CHAIN_ID,
        base_fee_per_gas=header.base_fee_per_gas,
        excess_blob_gas=0,
    )
    parent = chain.get_block_header_by_hash(header.parent_hash)
    return state_class(StateOverlay(chain.chaindb.db.get), context, parent.state_root)


def _applied(state: BaseState, transaction: SignedTransactionAPI) -> tuple[bool, int, int, bytes, Any]:
    state.lock_changes()
    computation = state.apply_transaction(transaction)
    return (
        computation.is_success,
        computation.get_gas_remaining(),
        computation.get_gas_refund(),
        computation.output,
        computation.get_log_entries(),
    )


def ledger_of_issues(entries: int, batches: int) -> PointsLedger:
    """The last `batches` blocks issue to the same members, `entries` of them, once a batch."""
    ledger = PointsLedger((BRAND,))
    day = expiry_day_for(ledger.now, UTC_OFFSET_SECONDS, 12)
    members = [member_named(f"member {index}") for index in range(entries)]
    for part in range(0, entries, 200):
        assert ledger.submit(BRAND, [Issue(member, day, 1, BASIS, keccak(member)) for member in members[part : part + 200]]) == []
    for points in range(1, batches + 1):
        assert ledger.submit(BRAND, [Issue(member, day, points, BASIS, keccak(member)) for member in members]) == []
    return ledger


class _StockOnBatchedTries(StockState):
    account_db_class = BatchedAccounts


class _CompiledOnBatchedTries(CompiledState):
    account_db_class = BatchedAccounts


def measure() -> None:
    ledger = ledger_of_issues(ENTRIES, 1)
    last = blocks(ledger)[-1]
    seconds: dict[str, list[float]] = {"py-evm": [], "compiled": []}
    for _ in range(ROUNDS):
        for name, state_class in (("py-evm", _StockOnBatchedTries), ("compiled", _CompiledOnBatchedTries)):
            start = process_time()
            replay(ledger, last, state_class)
            seconds[name].append(process_time() - start)
    for name, taken in seconds.items():
        print(f"{name}: {ENTRIES / min(taken):,.0f} entries/s (first round {ENTRIES / taken[0]:,.0f})")
    print(f"ratio: {min(seconds['py-evm']) / min(seconds['compiled']):.1f}")


if __name__ == "__main__":
    measure()
