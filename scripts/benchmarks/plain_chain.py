"""The baseline: stock py-evm in memory, nothing durable, a plain ERC-1155 and one transaction an entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth.chains.base import MiningChain
from eth.consensus.noproof import NoProofConsensus
from eth.db.atomic import AtomicDB
from eth.db.backends.memory import MemoryDB
from eth.vm.forks.prague import PragueVM
from eth_account import Account
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

from scripts.benchmarks.artifacts import call, creation

CHAIN_ID = 20_263
GAS_PER_BLOCK = 2**28
MAX_FEE = 10**10
_Vm = PragueVM.configure(consensus_class=NoProofConsensus)
_Chain = MiningChain.configure(__name__="PlainChain", vm_configuration=((0, _Vm),), chain_id=CHAIN_ID)


class PlainChain:
    def __init__(self) -> None:
        self._key = PrivateKey(keccak(b"benchmark operator"))
        account = {"balance": 10**24, "nonce": 0, "code": b"", "storage": {}}
        genesis: Any = {"gas_limit": GAS_PER_BLOCK, "timestamp": 1_700_000_000, "base_fee_per_gas": 10**9}
        funded: Any = {self._key.public_key.to_canonical_address(): account}
        self._chain: Any = _Chain.from_genesis(AtomicDB(MemoryDB()), genesis, funded)
        self._nonce = 0
        _, computations = self._mine([self._sign(b"", creation("PlainPoints"), 5_000_000)])
        self._contract = bytes(computations[0].msg.storage_address)

    def signed_blocks(self, members: Sequence[bytes], lot: int, entries_per_block: int) -> list[list[bytes]]:
        """Raw transactions, one issue each, in the blocks they are to go into."""
        raw = [self._sign(self._contract, call("PlainPoints", "issue", member, lot, 25), 100_000) for member in members]
        return [raw[first : first + entries_per_block] for first in range(0, len(raw), entries_per_block)]

    def mine(self, blocks: Sequence[Sequence[bytes]]) -> None:
        for raw in blocks:
            _, computations = self._mine(raw)
            if not all(computation.is_success for computation in computations):
                raise RuntimeError("an issue on the plain chain reverted")

    def _mine(self, raw: Sequence[bytes]) -> tuple[Any, Any]:
        builder = self._chain.get_vm().get_transaction_builder()
        self._chain.set_header_timestamp(self._chain.get_canonical_head().timestamp + 1)
        _, receipts, computations = self._chain.mine_all([builder.decode(each) for each in raw])
        return receipts, computations

    def _sign(self, to: bytes, data: bytes, gas: int) -> bytes:
        fields = {
            "type": 2,
            "chainId": CHAIN_ID,
            "nonce": self._nonce,
            "to": to,
            "data": data,
            "gas": gas,
            "maxFeePerGas": MAX_FEE,
            "maxPriorityFeePerGas": 0,
        }
        self._nonce += 1
        return bytes(Account.sign_transaction(fields, self._key.to_bytes()).raw_transaction)
