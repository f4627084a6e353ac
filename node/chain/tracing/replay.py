"""A sealed transaction run again: those before it in its block unwatched, itself before a tracer's eyes."""

from dataclasses import dataclass

from eth.abc import ComputationAPI

from node.chain.blocks import Block, gas_charged
from node.chain.errors import NotOnChain
from node.chain.history import History
from node.chain.rules import NodeState
from node.chain.state import StateOverlay, state_at
from node.chain.tracing.watched import Tracer, watched_state
from node.chain.transactions import Transaction


@dataclass(frozen=True)
class Replay:
    """`before` and `after` are the states around the transaction."""

    block: Block
    transaction: Transaction
    computation: ComputationAPI
    before: NodeState
    after: NodeState

    @property
    def gas_used(self) -> int:
        return gas_charged(self.transaction.gas, self.computation)


def replay(history: History, number: int, index: int, tracer: Tracer) -> Replay:
    if number == 0:
        raise NotOnChain("genesis is not traceable")
    block, parent = history.block(number), history.header(number - 1)
    overlay = StateOverlay(history.read_node)

    def state_under(root: bytes, state_class: type[NodeState] = NodeState) -> NodeState:
        return state_at(overlay, block.header, root, history.previous_hashes(number), history.config.chain_id, state_class)

    state = state_under(parent.state_root)
    for earlier in block.transactions[:index]:
        _apply(state, earlier)
    state.persist()
    watched = state_under(state.state_root, watched_state(tracer))
    transaction = block.transactions[index]
    computation = _apply(watched, transaction)
    return Replay(block, transaction, computation, state_under(state.state_root), watched)


def _apply(state: NodeState, transaction: Transaction) -> ComputationAPI:
    state.lock_changes()
    return state.apply_transaction(transaction.signed)
