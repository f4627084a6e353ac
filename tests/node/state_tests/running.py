"""Running one state test on any state class: post-state root, logs hash, gas and output, and whether the state is whole."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any

import rlp
from eth.constants import BLANK_ROOT_HASH, EMPTY_SHA3
from eth.db.backends.base import BaseDB
from eth.rlp.accounts import Account
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.transactions import CancunTransactionBuilder
from eth.vm.state import BaseState
from eth_hash.auto import keccak
from eth_utils.exceptions import ValidationError
from trie.constants import NODE_TYPE_BRANCH, NODE_TYPE_EXTENSION, NODE_TYPE_LEAF
from trie.utils.nodes import decode_node, get_node_type

from node.chain.state import StateOverlay
from tests.node.state_tests.archive import Post, StateTest

CHAIN_ID = 1
REJECTED = (ValidationError, rlp.exceptions.RLPException, ValueError)


@dataclass(frozen=True)
class Outcome:
    state_root: bytes
    logs_hash: bytes
    gas_burned: int = 0  # before refunds; 0 if the transaction is not valid
    gas_refund: int = 0
    output: bytes = b""
    error: str = ""


def outcomes(test: StateTest, state_class: type[BaseState]) -> Iterator[tuple[Post, Outcome]]:
    world = StateOverlay(lambda _: None)
    state = state_class(world, _context(test.environment), BLANK_ROOT_HASH)
    for address, account in test.world.items():
        _set_account(state, bytes.fromhex(address[2:]), account)
    state.persist()
    assert_whole(world, state.state_root)
    for post in test.posts:
        after = StateOverlay(world.writes.get)
        fresh = state_class(after, _context(test.environment), state.state_root)
        outcome = _run(fresh, post.raw_transaction)
        assert_whole(after, outcome.state_root, known=world.writes)
        yield post, outcome


def _run(state: BaseState, raw: bytes) -> Outcome:
    try:
        transaction = CancunTransactionBuilder.decode(raw)
        if transaction.gas > state.gas_limit:
            raise ValidationError("the transaction's gas is above the block's limit")
        computation = state.apply_transaction(transaction)
    except REJECTED:
        return Outcome(state.state_root, keccak(rlp.encode([])))
    state.persist()
    logs = [[address, [topic.to_bytes(32, "big") for topic in topics], data] for address, topics, data in computation.get_log_entries()]
    return Outcome(
        state_root=state.state_root,
        logs_hash=keccak(rlp.encode(logs)),
        gas_burned=transaction.gas - computation.get_gas_remaining(),
        gas_refund=computation.get_gas_refund(),
        output=computation.output,
        error=type(computation.error).__name__ if computation.is_error else "",
    )


def assert_whole(store: BaseDB, state_root: bytes, known: Container[bytes] = ()) -> None:
    """Every account, slot and code under the root can be read from what was written, as far as it is not `known` by its hash."""
    for encoded in _values(store, state_root, known):
        account = rlp.decode(encoded, sedes=Account)
        assert account.code_hash == EMPTY_SHA3 or account.code_hash in store
        for value in _values(store, account.storage_root, known):
            assert value


def _values(store: BaseDB, root: bytes, known: Container[bytes]) -> Iterator[bytes]:
    waiting: list[Any] = [] if root == BLANK_ROOT_HASH else [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, bytes):
            if not node or node in known:
                continue
            assert keccak(store[node]) == node
            node = decode_node(store[node])
        kind = get_node_type(node)
        if kind == NODE_TYPE_BRANCH:
            waiting += node[:16]
            if node[16]:
                yield node[16]
        elif kind == NODE_TYPE_EXTENSION:
            waiting.append(node[1])
        elif kind == NODE_TYPE_LEAF:
            yield node[1]


def _set_account(state: BaseState, address: bytes, account: dict[str, Any]) -> None:
    state.set_balance(address, int(account["balance"], 16))
    state.set_nonce(address, int(account["nonce"], 16))
    state.set_code(address, bytes.fromhex(account["code"][2:]))
    for slot, value in account["storage"].items():
        state.set_storage(address, int(slot, 16), int(value, 16))


def _context(environment: dict[str, str]) -> ExecutionContext:
    number = int(environment["currentNumber"], 16)
    return ExecutionContext(
        coinbase=bytes.fromhex(environment["currentCoinbase"][2:]),
        timestamp=int(environment["currentTimestamp"], 16),
        block_number=number,
        difficulty=0,
        mix_hash=bytes.fromhex(environment["currentRandom"][2:]),
        gas_limit=int(environment["currentGasLimit"], 16),
        prev_hashes=(keccak(str(earlier).encode()) for earlier in range(number - 1, max(-1, number - 257), -1)),
        chain_id=CHAIN_ID,
        base_fee_per_gas=int(environment["currentBaseFee"], 16),
        excess_blob_gas=int(environment["currentExcessBlobGas"], 16),
    )
