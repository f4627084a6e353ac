"""The block that would follow if one were sealed now: what clients mean by `pending`."""

from node.chain.blocks import Environment, Execution, execute_block
from node.chain.execution import state_of
from node.chain.history import History
from node.chain.pool import Pool
from node.chain.rules import TRANSACTION_GAS_MAX
from node.chain.time_limit import Pulse


def upcoming_block(history: History, pool: Pool, pulse: Pulse | None = None) -> Execution:
    """On the head, from what waits; at most 2^24 gas of it, for a reader is waiting. Its hash and time are not final."""
    head = history.head
    environment = Environment(history.config.chain_id, head, history.read_node, history.previous_hashes, pulse=pulse)
    candidates = pool.ready(state_of(history, head).get_nonce)
    return execute_block(environment, candidates, timestamp=head.timestamp, coinbase=history.config.sealer, gas_max=TRANSACTION_GAS_MAX)
