"""A message run before a tracer's eyes: a sealed transaction after those before it in its block, or a call nobody signed."""

from dataclasses import dataclass, replace

from eth.abc import ComputationAPI
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth_typing import Address

from node.chain.blocks import gas_charged
from node.chain.execution import Call, Scene, free_of_charge, run_on
from node.chain.history import History
from node.chain.rules import Header, NodeState
from node.chain.state import StateOverlay, state_at
from node.chain.time_limit import Pulse
from node.chain.tracing.watched import Tracer, watched_state
from node.chain.transactions import Transaction


@dataclass(frozen=True)
class Replay:
    """`before` and `after` are the states around the message, which ran in the block of `header`."""

    header: Header
    message: Call
    computation: ComputationAPI
    before: NodeState
    after: NodeState

    @property
    def gas_used(self) -> int:
        return gas_charged(self.message.gas, self.computation)


def replay(history: History, number: int, index: int, tracer: Tracer, pulse: Pulse) -> Replay:
    assert number > 0, "there is no state before genesis"
    block, parent = history.block(number), history.header(number - 1)
    overlay = StateOverlay(history.read_node)

    def state_under(root: bytes, state_class: type[NodeState] = NodeState) -> NodeState:
        state = state_at(overlay, block.header, root, history.previous_hashes(number), history.config.chain_id, state_class)
        state.pulse = pulse
        return state

    state = state_under(parent.state_root)
    for earlier in block.transactions[:index]:
        _apply(state, earlier)
    state.persist()
    watched = state_under(state.state_root, watched_state(tracer))
    transaction = block.transactions[index]
    computation = _apply(watched, transaction)
    return Replay(block.header, _message(transaction), computation, state_under(state.state_root), watched)


def watch_call(scene: Scene, request: Call, tracer: Tracer) -> Replay:
    """As `execution.run`, watched."""
    free = free_of_charge(scene, request)
    watched = replace(free, state_class=watched_state(tracer)).state()
    computation = run_on(watched, request)
    return Replay(free.header, request, computation, free.state(), watched)


def _message(transaction: Transaction) -> Call:
    signed = transaction.signed
    to = CREATE_CONTRACT_ADDRESS if transaction.to is None else Address(transaction.to)
    return Call(transaction.sender, to, bytes(signed.data), int(signed.value), transaction.gas)


def _apply(state: NodeState, transaction: Transaction) -> ComputationAPI:
    state.lock_changes()
    return state.apply_transaction(transaction.signed)
