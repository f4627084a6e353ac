"""Blocks, transactions, logs and receipts as the node sends them, parsed once; Unavailable for what is none.

web3's formatters are not used: receipts take 3.2 times and logs 1.8 times as long, and blocks with long extra data are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from gateway.values.errors import Unavailable
from gateway.values.hex import to_bytes, to_int
from gateway.values.ids import Address, Hash

_Sent = ParamSpec("_Sent")
_Shape = TypeVar("_Shape")


@dataclass(frozen=True, slots=True)
class ChainTransaction:
    """`to` is None for a contract creation."""

    hash: Hash
    index: int
    sender: Address
    to: Address | None
    input: bytes


@dataclass(frozen=True, slots=True)
class Block:
    number: int
    hash: Hash
    parent_hash: Hash
    timestamp: int
    base_fee: int
    transactions: tuple[ChainTransaction, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """`topics` and `data` as bytes; `index` is the log's place in its block."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: Hash
    transaction_hash: Hash
    index: int


@dataclass(frozen=True, slots=True)
class Receipt:
    transaction_hash: Hash
    block_number: int
    block_hash: Hash
    succeeded: bool
    gas_used: int


def _unavailable_if_malformed(parse: Callable[_Sent, _Shape]) -> Callable[_Sent, _Shape]:
    @wraps(parse)
    def parsed(*args: _Sent.args, **named: _Sent.kwargs) -> _Shape:
        try:
            return parse(*args, **named)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unavailable(f"The node sent what is no block, log or receipt: {type(error).__name__}: {error}") from error

    return parsed


@_unavailable_if_malformed
def block_of(found: Mapping[str, Any]) -> Block:
    """From eth_getBlockBy… with full transactions."""
    return Block(
        number=to_int(found["number"]),
        hash=Hash.parse(found["hash"]),
        parent_hash=Hash.parse(found["parentHash"]),
        timestamp=to_int(found["timestamp"]),
        base_fee=to_int(found.get("baseFeePerGas") or "0x0"),
        transactions=tuple(_transaction(each) for each in found["transactions"]),
    )


@_unavailable_if_malformed
def log_of(found: Mapping[str, Any]) -> Log:
    return Log(
        address=Address.parse(found["address"]),
        topics=tuple(to_bytes(topic) for topic in found["topics"]),
        data=to_bytes(found["data"]),
        block_number=to_int(found["blockNumber"]),
        block_hash=Hash.parse(found["blockHash"]),
        transaction_hash=Hash.parse(found["transactionHash"]),
        index=to_int(found["logIndex"]),
    )


@_unavailable_if_malformed
def receipt_of(found: Mapping[str, Any]) -> Receipt:
    return Receipt(
        transaction_hash=Hash.parse(found["transactionHash"]),
        block_number=to_int(found["blockNumber"]),
        block_hash=Hash.parse(found["blockHash"]),
        succeeded=to_int(found["status"]) == 1,
        gas_used=to_int(found["gasUsed"]),
    )


def _transaction(found: Mapping[str, Any]) -> ChainTransaction:
    to = found.get("to")
    return ChainTransaction(
        hash=Hash.parse(found["hash"]),
        index=to_int(found["transactionIndex"]),
        sender=Address.parse(found["from"]),
        to=Address.parse(to) if to else None,
        input=to_bytes(found["input"]),
    )
