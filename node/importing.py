"""`import`: a chain file becomes a data directory, every block executed again. Stopped half-way, it goes on from its last block."""

import contextlib
import os
import time
from collections.abc import Iterator

from node.chain.errors import BadBlock, BadGenesis
from node.chain.following import SealedBlock, adopt, check_genesis, decode_block
from node.chain.history import HEAD, History
from node.chain.ports import Table
from node.config import DataDirectory
from node.store.chain_file import ChainHead
from node.store.database import RocksDb
from node.store.recovery import lay_genesis, open_history


@contextlib.contextmanager
def importing(directory: DataDirectory, head: ChainHead) -> Iterator[History]:
    """The chain of `directory`, made from the file's genesis if there is none. Raises BadGenesis if it is another one.

    Nothing is written for a genesis whose hash or seal does not hold: the directory would be taken for that chain's from then on.
    """
    check_genesis(head.config, head.genesis_hash, head.genesis_seal)
    lock = directory.lock()
    try:
        if not directory.is_initialized:
            directory.write_genesis(head.config)
        if directory.genesis() != head.config:
            raise BadGenesis(f"{directory.path} holds a chain with another genesis than the file")
        with contextlib.closing(RocksDb(directory.store)) as store:
            if store.get(Table.META, HEAD) is None:
                lay_genesis(store, head.config, head.genesis_seal, time.time())
            yield open_history(store, head.config, None, time.time())
    finally:
        os.close(lock)


def take_block(history: History, sealed: SealedBlock) -> None:
    """Executes and commits the next block; one that is there already must be the same. Raises BadBlock."""
    if sealed.number <= history.head.block_number:
        if decode_block(sealed.number, sealed.raw).hash != history.header(sealed.number).hash:
            raise BadBlock(f"block {sealed.number}: another block of this number is here already")
        return
    header, writes = adopt(history, sealed, time.time())
    history.store.commit(writes)
    history.advance(header)
