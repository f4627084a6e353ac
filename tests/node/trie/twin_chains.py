"""One chain on stock py-evm that makes blocks, and one on the swapped parts that imports them.

Importing compares state root, receipts, bloom and gas of every block; beside that, the stored states must be whole.
"""

from collections.abc import Sequence
from typing import Any

from eth.abc import BlockAPI, SignedTransactionAPI
from eth.chains.base import MiningChain
from eth.consensus.noproof import NoProofConsensus
from eth.db.atomic import AtomicDB
from eth.db.backends.memory import MemoryDB
from eth.vm.base import VM
from eth.vm.forks.prague import PragueVM
from eth_account import Account
from eth_keys import keys

from tests.builders.ledger_chain import CHAIN_ID, ETHER, GAS_PER_BLOCK, GENESIS_TIMESTAMP, LedgerChain, key_of
from tests.node.state_tests.running import assert_whole
from tests.node.state_tests.variants import Variant, stock

MAX_FEE = 10**11
SENDERS = [key_of(f"sender {number}") for number in range(3)]


class TwinChains:
    def __init__(self, vm_class: type[VM], variant: Variant, senders: Sequence[keys.PrivateKey] = SENDERS) -> None:
        funds = {
            key.public_key.to_canonical_address(): {"balance": 10**9 * ETHER, "nonce": 0, "code": b"", "storage": {}} for key in senders
        }
        genesis = {"gas_limit": GAS_PER_BLOCK, "timestamp": GENESIS_TIMESTAMP, "base_fee_per_gas": 10**9}
        self._nodes = MemoryDB()
        self.stock = _chain_class(vm_class, stock).from_genesis(AtomicDB(MemoryDB()), genesis, funds)
        self.swapped = _chain_class(vm_class, variant).from_genesis(AtomicDB(self._nodes), genesis, funds)
        assert self.stock.get_canonical_head() == self.swapped.get_canonical_head()
        self._nonces = dict.fromkeys(senders, 0)

    def sign(self, sender: keys.PrivateKey, to: bytes, data: bytes, *, value: int = 0, gas: int = 1_500_000) -> SignedTransactionAPI:
        fields = {
            "type": 2,
            "chainId": CHAIN_ID,
            "nonce": self._nonces[sender],
            "to": to,
            "data": data,
            "value": value,
            "gas": gas,
            "maxFeePerGas": MAX_FEE,
            "maxPriorityFeePerGas": 1,
        }
        self._nonces[sender] += 1
        raw = Account.sign_transaction(fields, sender.to_bytes()).raw_transaction
        return self.stock.get_vm().get_transaction_builder().decode(bytes(raw))

    def seal(self, transactions: Sequence[SignedTransactionAPI]) -> list[bool]:
        """One block of them on both chains. Returns which succeeded."""
        mined, receipts, _ = self.stock.mine_all(transactions)
        self.import_block(mined.imported_block)
        return [receipt.state_root == b"\x01" for receipt in receipts]

    def import_block(self, block: BlockAPI) -> None:
        """Raises ValidationError if the swapped parts give another block."""
        imported = self.swapped.import_block(block).imported_block
        assert imported.header == block.header
        assert_whole(self._nodes, block.header.state_root)

    def assert_past_states_are_readable(self) -> None:
        """With the reference trie, in what the swapped parts stored."""
        for number in range(self.stock.get_canonical_head().block_number + 1):
            assert_whole(self._nodes, self.stock.get_canonical_block_header_by_number(number).state_root)


def import_into_swapped(ledger: LedgerChain, variant: Variant) -> int:
    """Imports every block of a stock chain. Returns how many."""
    database = LedgerChain()._chain.chaindb.db  # holds the genesis, which is always the same
    chain = _chain_class(PragueVM, variant)(database)
    head = ledger._chain.get_canonical_head().block_number
    for number in range(1, head + 1):
        block = ledger._chain.get_canonical_block_by_number(number)
        assert chain.import_block(block).imported_block.header == block.header
    assert_whole(database, block.header.state_root)
    return int(head)


def _chain_class(vm_class: type[VM], variant: Variant) -> Any:
    vm = vm_class.configure(consensus_class=NoProofConsensus, _state_class=variant(vm_class._state_class))
    return MiningChain.configure(__name__="TwinChain", vm_configuration=((0, vm),), chain_id=CHAIN_ID)
