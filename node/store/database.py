"""The block store on LMDB: one commit is one transaction, on disk (fsync) before it returns."""

import threading
from pathlib import Path

import lmdb
from lru import LRU

from node.chain.errors import StoreFailed
from node.chain.ports import Table, Writes

MAP_BYTES_AT_FIRST = 1 << 30  # address space, not disk; doubles when full
CACHED_NODES = 100_000
CACHED_NODE_BYTES_MAX = 600  # trie nodes, not contract code


class Lmdb:
    """Readers may be on any thread; commits come from one writer. Files are readable by their owner only."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._environment = lmdb.open(str(directory), map_size=MAP_BYTES_AT_FIRST, max_dbs=len(Table), mode=0o600, max_readers=64)
            self._tables = {table: self._environment.open_db(table.value) for table in Table}
        except lmdb.Error as error:
            raise StoreFailed(f"the store in {directory} cannot be opened: {error}") from error
        self._resizing = threading.Lock()  # LMDB's map may only grow while no transaction is open
        self._nodes: LRU[bytes, bytes] = LRU(CACHED_NODES)
        self._nodes_lock = threading.Lock()

    def get(self, table: Table, key: bytes) -> bytes | None:
        if table is Table.STATE:
            with self._nodes_lock:
                cached = self._nodes.get(key)
            if cached is not None:
                return cached
        try:
            with self._resizing, self._environment.begin(db=self._tables[table]) as reading:
                value: bytes | None = reading.get(key)
        except lmdb.Error as error:
            raise StoreFailed(f"the store in {self._directory} cannot be read: {error}") from error
        if table is Table.STATE and value is not None and len(value) <= CACHED_NODE_BYTES_MAX:
            with self._nodes_lock:
                self._nodes[key] = value
        return value

    def commit(self, writes: Writes) -> None:
        while True:
            try:
                self._write(writes)
            except lmdb.MapFullError:
                self._grow()
            except lmdb.Error as error:
                raise StoreFailed(f"the store in {self._directory} cannot be written: {error}") from error
            else:
                break
        with self._nodes_lock:
            for key, value in writes.get(Table.STATE, {}).items():
                if len(value) <= CACHED_NODE_BYTES_MAX:
                    self._nodes[key] = value

    def close(self) -> None:
        with self._resizing:
            self._environment.close()

    def _write(self, writes: Writes) -> None:
        with self._environment.begin(write=True) as writing:
            for table, rows in writes.items():
                database = self._tables[table]
                for key, value in sorted(rows.items()):
                    writing.put(key, value, db=database)

    def _grow(self) -> None:
        with self._resizing:
            self._environment.set_mapsize(2 * self._environment.info()["map_size"])
