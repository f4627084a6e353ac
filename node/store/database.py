"""The block store on LMDB: one commit is one transaction, on disk (fsync) before it returns.

LMDB keeps no checksums. State is stored under its hash, so that what is read of it is checked: a flipped byte is named, not believed.
"""

import os
import threading
from pathlib import Path

import lmdb
from eth_hash.auto import keccak
from lru import LRU

from node.chain.errors import StoreFailed
from node.chain.ports import Table, Writes

MAP_BYTES_AT_FIRST = 1 << 30  # address space, not disk; doubles when full
CACHED_NODES = 100_000
CACHED_NODE_BYTES_MAX = 600  # trie nodes, not contract code
CACHED_CODES = 256


class Lmdb:
    """Readers may be on any thread; commits come from one writer. Files are readable by their owner only.

    `read_only` opens what another process may be writing: it sees every block as soon as it is committed.
    """

    def __init__(self, directory: Path, *, read_only: bool = False) -> None:
        self._directory = directory
        try:
            if read_only and not (directory / "data.mdb").is_file():
                raise StoreFailed(f"there is no store in {directory}")
            if not read_only:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._environment = lmdb.open(
                str(directory),
                map_size=0 if read_only else MAP_BYTES_AT_FIRST,
                max_dbs=len(Table),
                mode=0o600,
                max_readers=64,
                readonly=read_only,
                create=not read_only,
            )
            self._tables = {table: self._environment.open_db(table.value, create=not read_only) for table in Table}
        except (lmdb.Error, OSError) as error:
            raise StoreFailed(f"the store in {directory} cannot be opened: {error}") from error
        self._resizing = threading.Lock()  # LMDB's map may only grow while no transaction is open
        self._nodes: LRU[bytes, bytes] = LRU(CACHED_NODES)
        self._codes: LRU[bytes, bytes] = LRU(CACHED_CODES)
        self._nodes_lock = threading.Lock()

    def get(self, table: Table, key: bytes) -> bytes | None:
        """Raises StoreFailed, also for state that is not what its hash says."""
        if table is not Table.STATE:
            return self._read(table, key)
        with self._nodes_lock:
            cached = self._nodes.get(key) or self._codes.get(key)
        if cached is not None:
            return cached
        value = self._read(table, key)
        if value is not None:
            if keccak(value) != key:
                raise StoreFailed(f"state node 0x{key.hex()} is corrupt in {self._directory}; restore it from a backup or a replica")
            self._keep(key, value)
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
        for key, value in writes.get(Table.STATE, {}).items():
            self._keep(key, value)

    def copy_to(self, directory: Path) -> None:
        """A consistent copy as of the last commit, on disk when it returns, while another process goes on writing."""
        directory.mkdir(mode=0o700)
        try:
            self._environment.copy(str(directory), compact=True)
            for path in (*directory.iterdir(), directory):
                if path.is_file():
                    path.chmod(0o600)
                _flush(path)
        except (lmdb.Error, OSError) as error:
            raise StoreFailed(f"the store in {self._directory} cannot be copied to {directory}: {error}") from error

    def close(self) -> None:
        with self._resizing:
            self._environment.close()

    def _read(self, table: Table, key: bytes) -> bytes | None:
        while True:
            try:
                with self._resizing, self._environment.begin(db=self._tables[table]) as reading:
                    value: bytes | None = reading.get(key)
                    return value
            except lmdb.MapResizedError:  # the writer is another process, and has grown the map
                with self._resizing:
                    self._environment.set_mapsize(0)
            except lmdb.Error as error:
                raise StoreFailed(f"the store in {self._directory} cannot be read: {error}") from error

    def _keep(self, key: bytes, value: bytes) -> None:
        with self._nodes_lock:
            if len(value) <= CACHED_NODE_BYTES_MAX:
                self._nodes[key] = value
            else:
                self._codes[key] = value

    def _write(self, writes: Writes) -> None:
        with self._environment.begin(write=True) as writing:
            for table, rows in writes.items():
                database = self._tables[table]
                for key, value in sorted(rows.items()):
                    writing.put(key, value, db=database)

    def _grow(self) -> None:
        with self._resizing:
            self._environment.set_mapsize(2 * self._environment.info()["map_size"])


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
