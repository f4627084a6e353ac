"""The points ledger on the embedded node's own chain, on disk: raw transactions in, and back when their block is durable."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from eth_account import Account
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey
from eth_typing import Address

from gateway.domain.ledger.batches import batch_root
from gateway.domain.ledger.entries import pack_entries
from gateway.domain.ledger.signing import Domain, batch_digest
from node.app import open_chain
from node.chain import rlp
from node.chain.history import History
from node.chain.pool import Pool
from node.config import DataDirectory
from node.producer import BlockProducer
from scripts.benchmarks.artifacts import call, creation

CHAIN_ID = 20_262
BRAND = 1
FOREVER = 2**40 - 1
GAS_PER_TRANSACTION = 2**24
MAX_FEE = 1_000
WAIT_SECONDS = 0.000_2


class DurableLedger:
    """One brand with one key, one operator that sends."""

    def __init__(self, history: History, producer: BlockProducer, operator: PrivateKey) -> None:
        self._history = history
        self._producer = producer
        self._operator = operator
        self._nonce = 0
        self._number = 0
        self._brand_key = PrivateKey(keccak(b"benchmark brand"))
        sender = operator.public_key.to_canonical_address()
        authority, self.address = _created(sender, 0), _created(sender, 1)
        coalition_id = history.config.coalition_id
        self._domain = Domain(CHAIN_ID, self.address, coalition_id)
        self.send(
            [
                self.sign(b"", creation("AccessManager", sender), 5_000_000),
                self.sign(b"", creation("PointsLedger", authority, coalition_id, b"EUR", 0), 10_000_000),
                self.sign(self.address, call("PointsLedger", "registerBrand", BRAND, 2**64), 200_000),
                self.sign(
                    self.address,
                    call("PointsLedger", "setBrandKey", BRAND, self._brand_key.public_key.to_canonical_address(), 0, FOREVER),
                    200_000,
                ),
            ]
        )

    @property
    def height(self) -> int:
        return int(self._history.head.block_number)

    def batch(self, entries: Sequence[bytes], gas: int) -> bytes:
        """A signed raw transaction with one batch of these entries."""
        self._number += 1
        data, root = pack_entries(entries), batch_root(BRAND, self._number, entries)
        digest = batch_digest(self._domain, BRAND, self._number, keccak(data), root, FOREVER)
        made = self._brand_key.sign_msg_hash(digest)
        signature = made.r.to_bytes(32) + made.s.to_bytes(32) + bytes([27 + made.v])
        header = (BRAND, self._number, FOREVER, root)
        return self.sign(self.address, call("PointsLedger", "submitBatch", header, data, signature), gas)

    def sign(self, to: bytes, data: bytes, gas: int) -> bytes:
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
        return bytes(Account.sign_transaction(fields, self._operator.to_bytes()).raw_transaction)

    def send(self, transactions: Sequence[bytes]) -> None:
        """Hands all over at once; returns when the last is in a durable block. Raises if one reverted."""
        hashes = [self._producer.submit(raw) for raw in transactions]
        while self._history.place_of(hashes[-1]) is None:
            time.sleep(WAIT_SECONDS)
        for transaction_hash in hashes:
            place = self._history.place_of(transaction_hash)
            assert place is not None
            block, index = place
            if not self._history.receipts(block)[index].succeeded:
                raise RuntimeError(f"transaction 0x{transaction_hash.hex()} reverted")


@contextmanager
def durable_ledger(directory: Path) -> Iterator[DurableLedger]:
    """A new chain in `directory` with the ledger deployed."""
    operator = PrivateKey(keccak(b"benchmark operator"))
    data = DataDirectory(directory)
    address = operator.public_key.to_canonical_address()
    data.initialize(chain_id=CHAIN_ID, sandbox=False, operators=(Address(address),), timestamp=int(time.time()))
    with open_chain(data) as history:
        producer = BlockProducer(history, Pool(), data.sealer_key(), time.time)
        producer.start()
        try:
            yield DurableLedger(history, producer, operator)
        finally:
            producer.stop()


def _created(sender: bytes, nonce: int) -> bytes:
    return bytes(keccak(rlp.encode([sender, nonce]))[12:])
