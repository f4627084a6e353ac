"""Building a block: run transactions on a parent's state and write down everything that follows from them.

`execute_block` is deterministic: the sealer calls it with what arrived, a verifier with what the block holds.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from eth.abc import ComputationAPI
from eth.vm.interrupt import EVMMissingData
from eth_typing import Address, BlockNumber
from eth_utils.exceptions import ValidationError
from trie.exceptions import MissingTrieNode

from node.chain import receipts, rlp
from node.chain.errors import ChainError, ExecutionCrashed, StoreFailed, TransactionRefused
from node.chain.fees import next_base_fee
from node.chain.receipts import Log, Receipt
from node.chain.rules import REFUND_QUOTIENT, Header, NodeState
from node.chain.state import NodeReader, StateOverlay, state_at
from node.chain.time_limit import Pulse
from node.chain.transactions import Transaction, gas_least
from node.chain.trie.ordered import ordered_root
from node.chain.trie.source import NodeCache


@dataclass(frozen=True)
class Block:
    """A sealed block's header and transactions."""

    header: Header
    transactions: tuple[Transaction, ...]

    @property
    def number(self) -> int:
        return int(self.header.block_number)

    @cached_property
    def hash(self) -> bytes:
        return bytes(self.header.hash)

    @cached_property
    def raw(self) -> bytes:
        """Block RLP as it travels between clients: header, transactions, uncles, withdrawals."""
        return rlp.encode([self.header, [wire_item(item.raw) for item in self.transactions], [], []])


@dataclass(frozen=True)
class Environment:
    """What a block's execution may read besides its own transactions."""

    chain_id: int
    parent: Header
    read_node: NodeReader
    previous_hashes: Callable[[int], Iterable[bytes]]  # number → hashes of the blocks before it, latest first
    nodes: NodeCache | None = None  # decoded nodes of this very store; None: py-evm's own tries
    pulse: Pulse | None = None  # of a block that is only looked at; what is sealed or verified has none


@dataclass
class Execution:
    """The outcome: a finished header and all that must be stored with it."""

    header: Header
    transactions: list[Transaction] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    encoded_receipts: list[bytes] = field(default_factory=list)
    state_writes: dict[bytes, bytes] = field(default_factory=dict)
    refused: list[tuple[Transaction, str]] = field(default_factory=list)

    @property
    def block(self) -> Block:
        return Block(self.header, tuple(self.transactions))


def execute_block(
    environment: Environment, candidates: Sequence[Transaction], *, timestamp: int, coinbase: Address, gas_max: int
) -> Execution:
    """Runs candidates in order until `gas_max` is full. Those that cannot run are in `refused`; later ones of a sender
    whose transaction did not fit are left alone."""
    header = child_header(environment.parent, timestamp, coinbase)
    overlay = StateOverlay(environment.read_node, environment.nodes)
    hashes = environment.previous_hashes(header.block_number)
    state = state_at(overlay, header, environment.parent.state_root, hashes, environment.chain_id)
    state.pulse = environment.pulse
    result = Execution(header)
    gas_used, waiting = 0, set[bytes]()
    for transaction in candidates:
        if transaction.sender in waiting:
            continue
        if transaction.gas > gas_max - gas_used:
            waiting.add(transaction.sender)
            continue
        try:
            receipt = _apply(state, transaction, gas_used)
        except (TransactionRefused, ValidationError) as error:
            waiting.add(transaction.sender)
            result.refused.append((transaction, str(error)))
            continue
        except ChainError:
            raise
        except (EVMMissingData, MissingTrieNode) as error:
            raise StoreFailed(f"state is missing from the store: {error}") from error
        except Exception as error:
            raise ExecutionCrashed(transaction.hash) from error
        gas_used = receipt.cumulative_gas_used
        result.transactions.append(transaction)
        result.receipts.append(receipt)
    try:
        state.persist()
    except (EVMMissingData, MissingTrieNode) as error:
        raise StoreFailed(f"state is missing from the store: {error}") from error
    result.encoded_receipts = [receipts.encode(item) for item in result.receipts]
    result.header = header.copy(
        state_root=state.state_root,
        transaction_root=ordered_root([item.raw for item in result.transactions]),
        receipt_root=ordered_root(result.encoded_receipts),
        bloom=_join_blooms(result.receipts),
        gas_used=gas_used,
    )
    result.state_writes = overlay.writes
    return result


def child_header(parent: Header, timestamp: int, coinbase: Address) -> Header:
    """The header a child of `parent` starts from; roots, bloom and gas come with its transactions."""
    return Header(
        difficulty=0,
        block_number=BlockNumber(parent.block_number + 1),
        gas_limit=parent.gas_limit,
        timestamp=timestamp,
        coinbase=coinbase,
        parent_hash=parent.hash,
        nonce=bytes(8),
        base_fee_per_gas=next_base_fee(parent),
    )


def wire_item(raw: bytes) -> bytes | list[bytes]:
    """A legacy transaction stands in a block body as a list, a typed one as a byte string."""
    if raw[0] < 0xC0:
        return raw
    fields: list[bytes] = rlp.decode(raw)
    return fields


def _apply(state: NodeState, transaction: Transaction, gas_used_before: int) -> Receipt:
    least = gas_least(transaction.signed)
    if transaction.gas < least:
        raise TransactionRefused(f"intrinsic gas too low: gas {transaction.gas}, minimum needed {least}")
    state.lock_changes()
    computation = state.apply_transaction(transaction.signed)
    logs = tuple(
        Log(address, tuple(topic.to_bytes(32, "big") for topic in topics), data) for address, topics, data in computation.get_log_entries()
    )
    return Receipt(
        type_id=transaction.type_id,
        succeeded=not computation.is_error,
        cumulative_gas_used=gas_used_before + gas_charged(transaction.gas, computation),
        logs=logs,
        bloom=receipts.bloom_of(logs),
        sender=transaction.sender,
        created=bytes(computation.msg.storage_address) if transaction.to is None else None,
    )


def gas_charged(gas: int, computation: ComputationAPI) -> int:
    """What the sender pays for: gas less refund, never under EIP-7623's floor."""
    spent = gas - computation.get_gas_remaining()
    refund = min(computation.get_gas_refund(), spent // REFUND_QUOTIENT)
    return int(spent - refund + computation.data_floor_gas)


def _join_blooms(items: Sequence[Receipt]) -> int:
    bits = 0
    for receipt in items:
        bits |= int.from_bytes(receipt.bloom, "big")
    return bits
