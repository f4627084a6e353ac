"""EVM state over the store: reads fall through to disk, writes stay in a dict until the block commits."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from eth.abc import AtomicWriteBatchAPI
from eth.db.backends.base import BaseAtomicDB
from eth.vm.execution_context import ExecutionContext

from node.chain.rules import Header, NodeState
from node.chain.trie.source import NodeCache

NodeReader = Callable[[bytes], bytes | None]


class StateOverlay(BaseAtomicDB):
    """py-evm writes a block's state in several batches; here they gather in `writes` and reach the disk as one."""

    def __init__(self, read_node: NodeReader, nodes: NodeCache | None = None) -> None:
        self._read_node = read_node
        self.nodes = nodes  # with a cache of decoded nodes tries are batched, without one they are py-evm's own
        self.writes: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        value = self.writes.get(key)
        if value is None:
            value = self._read_node(key)
            if value is None:
                raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.writes[key] = value

    def __delitem__(self, key: bytes) -> None:
        raise AssertionError("state is never deleted: every past block stays readable")

    def _exists(self, key: bytes) -> bool:
        return key in self.writes or self._read_node(key) is not None

    @contextmanager
    def atomic_batch(self) -> Iterator[AtomicWriteBatchAPI]:
        yield self  # type: ignore[misc]  # a failed block drops the whole overlay, so no inner batch is needed


def state_at(
    overlay: StateOverlay,
    header: Header,
    state_root: bytes,
    previous_hashes: Iterable[bytes],
    chain_id: int,
    state_class: type[NodeState] = NodeState,
) -> NodeState:
    """The state under `state_root`, seen by code that runs in the block of `header`."""
    context = ExecutionContext(
        coinbase=header.coinbase,
        timestamp=header.timestamp,
        block_number=header.block_number,
        difficulty=header.difficulty,
        mix_hash=header.mix_hash,
        gas_limit=header.gas_limit,
        prev_hashes=previous_hashes,  # type: ignore[arg-type]
        chain_id=chain_id,
        base_fee_per_gas=header.base_fee_per_gas,
        excess_blob_gas=header.excess_blob_gas,
    )
    return state_class(overlay, context, state_root)  # type: ignore[arg-type]
