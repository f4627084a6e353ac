"""A data directory's chain, opened by a command: alone with it, or reading beside a running node."""

import contextlib
import os
import time
from collections.abc import Iterator

from node.chain.errors import BadGenesis
from node.chain.history import History, sealers_of
from node.config import DataDirectory
from node.store.begun import check_not_lost
from node.store.database import RocksDb
from node.store.recovery import open_history


@contextlib.contextmanager
def sole_user(directory: DataDirectory, *, batched_trie: bool = True) -> Iterator[History]:
    """Locked, so that no node runs on it meanwhile; it begins no chain. The sealer's key may be missing, as in a replica or a backup."""
    config = directory.genesis()
    lock = directory.lock()
    try:
        _check_begun(directory)
        with contextlib.closing(RocksDb(directory.store)) as store:
            key = directory.key_of(sealers_of(store, config).last) if directory.key_file.exists() else None
            yield open_history(store, config, key, time.time(), batched_trie=batched_trie)
    finally:
        os.close(lock)


@contextlib.contextmanager
def beside_a_node(directory: DataDirectory) -> Iterator[tuple[History, RocksDb]]:
    """Read only: the chain as of now, whether or not a node is at work on it."""
    config = directory.genesis()
    _check_begun(directory)
    with contextlib.closing(RocksDb(directory.store, read_only=True)) as store:
        yield open_history(store, config, None, time.time()), store


def _check_begun(directory: DataDirectory) -> None:
    """Before anything is written there."""
    check_not_lost(directory.store)
    if not directory.store.exists() and not directory.damaged_store.exists():
        raise BadGenesis(f"{directory.path} holds no block yet")
