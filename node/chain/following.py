"""Taking over a block that someone else sealed: nothing of it is believed, every block is executed again.

`adopt` is the one door for imported and followed blocks; `reexecute` is also what verification calls.
"""

from dataclasses import dataclass

from eth_hash.auto import keccak

from node.chain import rlp, transactions
from node.chain.blocks import Block, Environment, Execution, execute_block
from node.chain.errors import BadBlock, BadGenesis, ChainError, StoreFailed, TransactionRefused
from node.chain.genesis import GenesisConfig, genesis_block
from node.chain.history import History, block_writes
from node.chain.ports import Writes
from node.chain.rlp import RlpError
from node.chain.rules import Header, sealed_gas_max
from node.chain.sealing import NotSealed, Sealers, encode_handovers, seal_holds
from node.chain.trie.source import NodeCache

CLOCKS_MAY_DIFFER_SECONDS = 15


@dataclass(frozen=True)
class SealedBlock:
    """A block's RLP as it travels, and its detached seal."""

    number: int
    raw: bytes
    seal: bytes


def adopt(history: History, sealed: SealedBlock, wall_seconds: float) -> tuple[Header, Writes]:
    """What the next block leaves on disk, once it has been executed again on the head.

    Raises BadBlock and says why; StoreFailed if it is this disk that cannot be read, which says nothing about the block.
    """
    number = sealed.number
    if number != history.head.block_number + 1:
        raise BadBlock(f"block {number}: the head is block {history.head.block_number}, so block {history.head.block_number + 1} is next")
    block = decode_block(number, sealed.raw)
    if block.number != number:
        raise BadBlock(f"block {number}: its header says {block.number}")
    parent, head = block.header.parent_hash.hex(), history.head.hash.hex()
    if parent != head:
        raise BadBlock(f"block {number}: a fork: its parent is 0x{parent}, block {number - 1} here is 0x{head}")
    before = history.sealers
    sealers = check_seal(before, number, history.genesis_hash, block.hash, sealed.seal)
    if not history.config.sandbox and block.header.timestamp > wall_seconds + CLOCKS_MAY_DIFFER_SECONDS:
        raise BadBlock(f"block {number}: its timestamp {block.header.timestamp} lies in the future")
    execution = reexecute(history, block, history.nodes)
    handovers = None if sealers == before else encode_handovers(sealers.handovers)
    return execution.header, block_writes(execution, sealed.seal, handovers)


def reexecute(history: History, block: Block, nodes: NodeCache | None) -> Execution:
    """Runs the block's transactions on its parent's state. Raises BadBlock unless exactly this block comes out, or StoreFailed.

    `nodes` may hold nodes of this chain from blocks before; None: py-evm's own tries."""
    number = block.number
    parent = history.header(number - 1)
    if block.header.timestamp < parent.timestamp:
        raise BadBlock(f"block {number}: its timestamp is before its parent's")
    for transaction in block.transactions:
        try:
            transactions.check(transaction, history.config.chain_id, block.header.base_fee_per_gas)
        except TransactionRefused as refusal:
            raise BadBlock(f"block {number}: transaction 0x{transaction.hash.hex()} breaks the rules: {refusal}") from refusal

    def read_node(node_hash: bytes) -> bytes | None:
        value = history.read_node(node_hash)
        if value is not None and keccak(value) != node_hash:
            raise StoreFailed(f"state node 0x{node_hash.hex()} is corrupt")
        return value

    environment = Environment(history.config.chain_id, parent, read_node, history.previous_hashes, nodes)
    try:
        execution = execute_block(
            environment,
            block.transactions,
            timestamp=block.header.timestamp,
            coinbase=history.config.sealer,
            gas_max=sealed_gas_max(parent.gas_limit),
        )
    except (BadBlock, StoreFailed):
        raise
    except ChainError as error:
        raise BadBlock(f"block {number}: {error}") from error
    if execution.refused:
        transaction, reason = execution.refused[0]
        raise BadBlock(f"block {number}: transaction 0x{transaction.hash.hex()} cannot run: {reason}")
    if execution.header.hash != block.hash:
        raise BadBlock(f"block {number}: re-execution gives another block ({_difference(execution.header, block.header)})")
    return execution


def check_genesis(config: GenesisConfig, genesis_hash: bytes, genesis_seal: bytes) -> None:
    """Before anything is written of a chain that someone else shows: raises BadGenesis unless all three belong together."""
    computed = genesis_block(config)[0].hash
    if computed != genesis_hash:
        raise BadGenesis(
            f"block 0: its hash is said to be 0x{genesis_hash.hex()}, but 0x{computed.hex()} is what follows from the genesis configuration"
        )
    if not seal_holds(genesis_seal, config.sealer, computed, computed):
        raise BadGenesis("block 0: the seal is not the sealer's")


def check_seal(sealers: Sealers, number: int, genesis_hash: bytes, block_hash: bytes, seal: bytes) -> Sealers:
    """Who seals from here on. Raises BadBlock unless it is sealed by whose turn it is."""
    try:
        return sealers.after(number, genesis_hash, block_hash, seal)
    except NotSealed as error:
        raise BadBlock(f"block {number}: {error}") from error


def decode_block(number: int, raw: bytes) -> Block:
    """Raises BadBlock for anything but the canonical RLP of a block without uncles and withdrawals."""
    try:
        header, bodies, uncles, withdrawals = rlp.decode(raw)
        block = Block(
            rlp.decode_as(rlp.encode(header), Header),
            tuple(transactions.decode(item if isinstance(item, bytes) else rlp.encode(item)) for item in bodies),
        )
    except (RlpError, ChainError, ValueError, TypeError) as error:
        raise BadBlock(f"block {number}: it cannot be decoded: {error}") from error
    if uncles or withdrawals or block.raw != raw:
        raise BadBlock(f"block {number}: it is not in the form this chain seals")
    return block


def _difference(expected: object, found: object) -> str:
    fields = [name for name, _ in type(expected)._meta.fields]  # type: ignore[attr-defined]
    return ", ".join(name for name in fields if getattr(expected, name) != getattr(found, name))
