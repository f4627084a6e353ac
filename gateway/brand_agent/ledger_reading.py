"""What the ledger holds of a brand, read from the brand's own node: its batches as they were submitted, and whether a key is in force.

The node is to be one that executes every block itself (a replica): then its head is a checked one. Signatures are checked here again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from gateway.brand_signer.journal import SignedBatch
from gateway.foreign.rpc_node import NodeSilent, RpcNode
from gateway.ledger.entries import decode_entry
from gateway.ledger.framing import unpack_entries
from gateway.ledger.packed_fields import MalformedEntry
from gateway.ledger.recover import recover_address
from gateway.ledger.signing import Domain, batch_digest
from gateway.values.hex import hex_text, to_bytes, to_int
from gateway.values.ids import Address, Reference

_RECORDED = hex_text(keccak(b"BatchRecorded(uint32,uint64,bytes32,uint32,uint32)"))
_REFUSED = hex_text(keccak(b"EntryRefused(uint32,uint64,uint32,bytes4)"))
_SUBMIT = keccak(b"submitBatch((uint32,uint64,uint40),bytes,bytes)")[:4]
_BRANDS, _BRAND_KEY = keccak(b"brands()")[:4], keccak(b"brandKey(uint32,address)")[:4]
_BLOCKS_AT_ONCE = 2_000
_BATCHES_AT_ONCE = 40


@dataclass(frozen=True, slots=True)
class LedgerHead:
    number: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class KeyWindow:
    """When a batch key is in force, in Unix seconds; zeros for a key that the brand never had."""

    valid_from: int
    valid_until: int

    def holds(self, head: LedgerHead) -> bool:
        return self.valid_from <= head.timestamp < self.valid_until

    def is_over(self, head: LedgerHead) -> bool:
        return self.valid_until <= head.timestamp


class LedgerReading:
    """One brand's, at one head."""

    def __init__(self, node: RpcNode, domain: Domain, brand_id: int) -> None:
        self._node = node
        self._domain = domain
        self._brand_id = brand_id
        self.head = node.read(_head, node.ask([("eth_getBlockByNumber", ["latest", False])])[0])

    def key_window(self, key: Address) -> KeyWindow:
        brands = to_bytes(self._call(self._domain.verifying_contract, _BRANDS), 32)[12:]
        found = self._call(Address(brands), _BRAND_KEY + _word(self._brand_id) + bytes(12) + key)
        return self._node.read(_window, found)

    def references_at(self, number: int, block_number: int) -> list[Reference | None]:
        """Of a batch's entries in their order, None for one that the ledger refused or that has none.

        Nothing where the block has no such batch.
        """
        span = {"fromBlock": hex(block_number), "toBlock": hex(block_number), "address": str(self._domain.verifying_contract)}
        topics = [[_RECORDED, _REFUSED], hex_text(_word(self._brand_id)), hex_text(_word(number))]
        [logs] = self._node.ask([("eth_getLogs", [{**span, "topics": topics}])])
        recorded, refused = self._node.read(_recorded_and_refused, logs)
        if recorded is None:
            return []
        [transaction] = self._node.ask([("eth_getTransactionByHash", [recorded])])
        batch, _ = self._node.read(self._submitted, transaction)
        if batch.number != number:
            raise NodeSilent(f"{self._node.shown_url} contradicts itself about batch {number}: look after the node")
        return [None if index in refused else _reference(entry) for index, entry in enumerate(unpack_entries(batch.entries))]

    def batches(self) -> Iterator[tuple[SignedBatch, Address]]:
        """Every batch of the brand up to the head in the ledger's order, and whose signature it bears."""
        for first in range(0, self.head.number + 1, _BLOCKS_AT_ONCE):
            last = min(first + _BLOCKS_AT_ONCE - 1, self.head.number)
            logs = self._node.ask([("eth_getLogs", [self._recorded(first, last)])])[0]
            hashes = self._node.read(lambda found: [str(log["transactionHash"]) for log in found], logs)
            for place in range(0, len(hashes), _BATCHES_AT_ONCE):
                some = hashes[place : place + _BATCHES_AT_ONCE]
                for transaction in self._node.ask([("eth_getTransactionByHash", [one]) for one in some]):
                    yield self._node.read(self._submitted, transaction)

    def _recorded(self, first: int, last: int) -> dict[str, Any]:
        topics = [_RECORDED, hex_text(_word(self._brand_id))]
        return {"address": str(self._domain.verifying_contract), "fromBlock": hex(first), "toBlock": hex(last), "topics": topics}

    def _call(self, to: Address, data: bytes) -> str:
        [found] = self._node.ask([("eth_call", [{"to": str(to), "data": hex_text(data)}, hex(self.head.number)])])
        return str(found)

    def _submitted(self, transaction: Any) -> tuple[SignedBatch, Address]:
        """Raises ValueError for what is no batch of this brand with a signature over it."""
        data = to_bytes(transaction["input"])
        brand, number, deadline, entries_at, signature_at = (int.from_bytes(data[4 + 32 * place : 36 + 32 * place]) for place in range(5))
        if data[:4] != _SUBMIT or brand != self._brand_id:
            raise ValueError("a transaction without the batch that it recorded")
        batch = SignedBatch(number, deadline, _bytes_at(data, entries_at), _bytes_at(data, signature_at))
        signer = recover_address(batch_digest(self._domain, brand, number, keccak(batch.entries), deadline), batch.signature)
        if signer is None:
            raise ValueError("a batch without a signature over it")
        return batch, signer


def _recorded_and_refused(logs: Any) -> tuple[str | None, set[int]]:
    recorded = [str(log["transactionHash"]) for log in logs if log["topics"][0] == _RECORDED]
    refused = {int.from_bytes(to_bytes(log["data"])[:32]) for log in logs if log["topics"][0] == _REFUSED}
    return (recorded[0] if recorded else None), refused


def _reference(entry: bytes) -> Reference | None:
    try:
        return getattr(decode_entry(entry), "reference", None)
    except MalformedEntry:
        return None


def _head(block: Any) -> LedgerHead:
    return LedgerHead(to_int(block["number"]), to_int(block["timestamp"]))


def _window(answer: Any) -> KeyWindow:
    words = to_bytes(answer, 96)
    return KeyWindow(int.from_bytes(words[:32]), int.from_bytes(words[32:64]))


def _bytes_at(data: bytes, offset: int) -> bytes:
    start = 4 + offset + 32
    length = int.from_bytes(data[start - 32 : start])
    found = data[start : start + length]
    if len(found) != length:
        raise ValueError("call data that end too soon")
    return found


def _word(value: int) -> bytes:
    return value.to_bytes(32)
