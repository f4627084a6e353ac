"""The baseline: a plain ERC-1155 and one transaction an entry, on stock py-evm in memory.

The members' points are written straight into the contract's storage trie: the same state as after issuing them, in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.rlp.accounts import Account
from eth_hash.auto import keccak

from gateway.ledger.slots import balance_slot
from node.chain import rlp
from node.chain.trie.reading import value_at
from node.chain.trie.source import NodeSource
from node.chain.trie.update import update
from scripts.benchmarks.artifacts import call, creation, storage_slot
from scripts.benchmarks.issuing import OPERATOR, POINTS, created, signed
from scripts.benchmarks.stock_chain import StockChain

CHAIN_ID = 20_263
FIRST_TIMESTAMP = 1_700_000_000
GAS_PER_ISSUE = 100_000
MAX_FEE = 1_000
OPERATOR_FUNDS_WEI = 10**24


class PlainChain:
    def __init__(self, members: Sequence[bytes], lot: int) -> None:
        self._lot, self._nonce = lot, 0
        operator = bytes(OPERATOR.public_key.to_canonical_address())
        self._contract = created(operator, 0)
        funded = {keccak(operator): rlp.encode(Account(balance=OPERATOR_FUNDS_WEI))}
        root, nodes = update(NodeSource(lambda _: None), BLANK_ROOT_HASH, funded)
        deployed = StockChain(CHAIN_ID, nodes.get, root, FIRST_TIMESTAMP)
        deployed.seal([self._signed(b"", creation("PlainPoints"), 5_000_000)])
        root = self._give_points(deployed.database, deployed.state_root, members)
        self._chain = StockChain(CHAIN_ID, deployed.database.get, root, FIRST_TIMESTAMP + 1)

    def issues(self, members: Sequence[bytes]) -> list[bytes]:
        """Raw transactions, one issue each."""
        data = (call("PlainPoints", "issue", each, self._lot, POINTS) for each in members)
        return [self._signed(self._contract, each, GAS_PER_ISSUE) for each in data]

    def seal(self, transactions: Sequence[bytes]) -> None:
        assert all(len(computation.get_log_entries()) == 1 for computation in self._chain.seal(transactions))

    def points(self, of_member: bytes) -> int:
        return self._chain.storage_at(self._contract, balance_slot(storage_slot("PlainPoints", "_balances"), self._lot, of_member))

    def _give_points(self, nodes: AtomicDB, state_root: bytes, members: Sequence[bytes]) -> bytes:
        """The state root with every member's points in it; its nodes are put beside the others."""
        source, address, base = NodeSource(nodes.get), keccak(self._contract), storage_slot("PlainPoints", "_balances")
        account = rlp.decode_as(value_at(source, state_root, address), Account)
        slots = (balance_slot(base, self._lot, each).to_bytes(32) for each in members)
        storage_root, made = update(source, account.storage_root, dict.fromkeys(map(keccak, slots), rlp.encode(bytes([POINTS]))))
        root, made_above = update(source, state_root, {address: rlp.encode(account.copy(storage_root=storage_root))})
        for node_hash, raw in (made | made_above).items():
            nodes[node_hash] = raw
        return root

    def _signed(self, to: bytes, data: bytes, gas: int) -> bytes:
        self._nonce += 1
        return signed(CHAIN_ID, self._nonce - 1, to, data, gas, MAX_FEE)
