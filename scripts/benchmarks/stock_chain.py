"""Stock py-evm, unmodified and in memory: blocks on any state that someone stored. Nothing of what it writes is kept on disk.

It is spared what makes a block durable, so a ratio to it is on the low side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from eth.chains.base import MiningChain
from eth.consensus.noproof import NoProofConsensus
from eth.constants import GENESIS_PARENT_HASH
from eth.db.atomic import AtomicDB
from eth.db.backends.base import BaseDB
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth_typing import BlockNumber, Hash32

GAS_LIMIT = 2**28
BASE_FEE_PER_GAS = 7
_Vm = PragueVM.configure(consensus_class=NoProofConsensus)


class StockChain:
    """`read` finds a state node by its hash; `state_root` is where the chain begins."""

    def __init__(self, chain_id: int, read: Callable[[bytes], bytes | None], state_root: bytes, timestamp: int) -> None:
        chain_class = MiningChain.configure(__name__="StockChain", vm_configuration=((0, _Vm),), chain_id=chain_id)
        first = PragueBlockHeader(
            difficulty=0,
            block_number=BlockNumber(0),
            gas_limit=GAS_LIMIT,
            timestamp=timestamp,
            parent_hash=GENESIS_PARENT_HASH,
            state_root=Hash32(state_root),
            nonce=bytes(8),
            base_fee_per_gas=BASE_FEE_PER_GAS,
        )
        self.database = AtomicDB(_Overlay(read))
        self._chain: Any = chain_class.from_genesis_header(self.database, first)

    @property
    def state_root(self) -> bytes:
        return bytes(self._chain.get_canonical_head().state_root)

    def storage_at(self, address: bytes, slot: int) -> int:
        return int(self._chain.get_vm().state.get_storage(address, slot))

    def seal(self, raw: Sequence[bytes], *, timestamp: int | None = None, coinbase: bytes | None = None) -> Sequence[Any]:
        """One block of these transactions; returns what their executions left. Raises if one reverted."""
        builder = self._chain.get_vm().get_transaction_builder()
        self._chain.set_header_timestamp(timestamp or self._chain.get_canonical_head().timestamp + 1)
        chosen = {} if coinbase is None else {"coinbase": coinbase}
        _, _, computations = self._chain.mine_all([builder.decode(each) for each in raw], **chosen)
        if not all(computation.is_success for computation in computations):
            raise RuntimeError("a transaction on stock py-evm reverted")
        return list(computations)


class _Overlay(BaseDB):
    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._read = read
        self._written: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        value = self._written.get(key)
        if value is None and len(key) == 32:
            value = self._read(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._written[key] = value

    def __delitem__(self, key: bytes) -> None:
        self._written.pop(key, None)

    def _exists(self, key: bytes) -> bool:
        return key in self._written or (len(key) == 32 and self._read(key) is not None)
