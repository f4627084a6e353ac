"""Re-execution from genesis: every block must follow from its parent under the rules, and carry its seal."""

from collections.abc import Iterator

from eth_hash.auto import keccak

from node.chain.blocks import Environment, execute_block
from node.chain.errors import BadBlock, ChainError
from node.chain.genesis import genesis_block
from node.chain.history import History
from node.chain.rules import sealed_gas_max
from node.chain.sealing import seal_holds


def verify_chain(history: History) -> Iterator[int]:
    """Yields each block number once it is verified. Raises BadBlock, naming the first block that is wrong and why."""
    for number in range(history.head.block_number + 1):
        try:
            _verify_genesis(history) if number == 0 else _verify_block(history, number)
            _verify_seal(history, number)
        except BadBlock:
            raise
        except ChainError as error:
            raise BadBlock(f"block {number}: {error}") from error
        yield number


def _verify_genesis(history: History) -> None:
    header, _ = genesis_block(history.config)
    if history.header(0).hash != header.hash:
        raise BadBlock("block 0: it does not follow from the genesis configuration")


def _verify_block(history: History, number: int) -> None:
    block, parent = history.block(number), history.header(number - 1)
    if block.header.timestamp < parent.timestamp:
        raise BadBlock(f"block {number}: its timestamp is before its parent's")

    def read_node(node_hash: bytes) -> bytes | None:
        value = history.read_node(node_hash)
        if value is not None and keccak(value) != node_hash:
            raise BadBlock(f"block {number}: state node 0x{node_hash.hex()} is corrupt")
        return value

    environment = Environment(history.config.chain_id, parent, read_node, history.previous_hashes)
    execution = execute_block(
        environment,
        block.transactions,
        timestamp=block.header.timestamp,
        coinbase=history.config.sealer,
        gas_max=sealed_gas_max(parent.gas_limit),
    )
    if execution.refused:
        transaction, reason = execution.refused[0]
        raise BadBlock(f"block {number}: transaction 0x{transaction.hash.hex()} cannot run: {reason}")
    if execution.header.hash != block.hash:
        raise BadBlock(f"block {number}: re-execution gives another block ({_difference(execution.header, block.header)})")
    if tuple(execution.encoded_receipts) != history.raw_receipts(number):
        raise BadBlock(f"block {number}: its stored receipts are not those of its execution")
    if history.number_of(block.hash) != number:
        raise BadBlock(f"block {number}: its hash is indexed under another number")
    for index, transaction in enumerate(block.transactions):
        if history.place_of(transaction.hash) != (number, index):
            raise BadBlock(f"block {number}: transaction {index} is indexed elsewhere")


def _verify_seal(history: History, number: int) -> None:
    block_hash = history.header(number).hash
    if not seal_holds(history.seal(number), history.config.sealer, history.genesis_hash, block_hash):
        raise BadBlock(f"block {number}: the seal is not the sealer's")


def _difference(expected: object, found: object) -> str:
    fields = [name for name, _ in type(expected)._meta.fields]  # type: ignore[attr-defined]
    return ", ".join(name for name in fields if getattr(expected, name) != getattr(found, name))
