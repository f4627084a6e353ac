"""Re-execution from genesis: every block must follow from its parent under the rules, and carry its seal.

Every row that the disk holds of a block is compared with what its execution gives. The cache of nodes starts empty: what it holds later was
read from this disk, or has been compared with it.
"""

from collections.abc import Iterator

from node.chain.blocks import Block
from node.chain.errors import BadBlock, ChainError
from node.chain.following import check_seal, reexecute
from node.chain.genesis import genesis_block
from node.chain.history import History, block_writes, genesis_writes
from node.chain.ports import Table, Writes
from node.chain.rlp import RlpError
from node.chain.sealing import Sealers
from node.chain.trie.source import NodeCache

UNDECODABLE = (RlpError, ValueError, TypeError, IndexError, OverflowError)  # what the decoding of a garbled row may end in
_WRONG = {
    Table.HEADERS: "its stored header is not the one of its execution",
    Table.BODIES: "its stored transactions are not in the form they were sealed in",
    Table.RECEIPTS: "its stored receipts are not those of its execution",
    Table.HASHES: "its hash is indexed under another number",
}


def verify_chain(history: History) -> Iterator[int]:
    """Yields each block number once it is verified. Raises BadBlock, naming the first block that is wrong and why."""
    nodes = None if history.nodes is None else NodeCache()
    sealers = Sealers(history.config.sealer)
    for number in range(history.head.block_number + 1):
        try:
            seal = history.seal(number)
            block = _decoded(history, number)
            writes = _genesis(history, seal) if number == 0 else block_writes(reexecute(history, block, nodes), seal)
            sealers = check_seal(sealers, number, history.genesis_hash, history.header(number).hash, seal)
            _compare(history, number, writes)
            if number == history.head.block_number and sealers != history.sealers:
                raise BadBlock(f"block {number}: the record of who sealed is not what the seals say")
        except BadBlock:
            raise
        except ChainError as error:
            raise BadBlock(f"block {number}: {error}") from error
        yield number


def _decoded(history: History, number: int) -> Block:
    try:
        block = history.block(number)
    except UNDECODABLE as error:
        raise BadBlock(f"block {number}: its stored rows cannot be decoded: {error}") from error
    if block.number != number:
        raise BadBlock(f"block {number}: its stored header says {block.number}")
    return block


def _genesis(history: History, seal: bytes) -> Writes:
    header, state = genesis_block(history.config)
    if history.header(0).hash != header.hash:
        raise BadBlock("block 0: it does not follow from the genesis configuration")
    return genesis_writes(header, state, seal)


def _compare(history: History, number: int, writes: Writes) -> None:
    for table, rows in writes.items():
        if table is Table.META:  # the head, which moved on
            continue
        for index, (key, value) in enumerate(rows.items()):
            if history.store.get(table, key) == value:
                continue
            if table is Table.STATE:
                raise BadBlock(f"block {number}: state node 0x{key.hex()} is corrupt")
            if table is Table.TRANSACTIONS:
                raise BadBlock(f"block {number}: transaction {index} is indexed elsewhere")
            raise BadBlock(f"block {number}: {_WRONG[table]}")
