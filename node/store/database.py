"""The block store on RocksDB: one commit is one record of its log, on disk (fsync) before it returns.

RocksDB keeps a checksum of everything; state is stored under its hash and checked against that too. A flipped byte is named, not believed.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from eth_hash.auto import keccak
from lru import LRU
from rocksdict import (
    AccessType,
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
    WriteBatch,
    WriteOptions,
)

from node.chain.errors import StoreFailed
from node.chain.ports import Table, Writes
from node.store.frames import damaged_at
from node.store.view import View

CACHED_CODES = 256
NODE_BYTES_MAX = 600  # of a trie node's RLP: what is longer is contract code. Nodes are kept decoded, by the chain
BLOCK_CACHE_BYTES = 128 << 20
WRITE_BUFFER_BYTES = 64 << 20  # twice that while one is written out
FILE_BYTES = 256 << 20
FILES_OPEN = 256
COPIED_AT_ONCE = 20_000  # rows
VIEWS_TRIED = 20

PREFIXES = {
    Table.STATE: b"s",
    Table.HEADERS: b"h",
    Table.BODIES: b"b",
    Table.RECEIPTS: b"r",
    Table.SEALS: b"l",
    Table.HASHES: b"i",
    Table.TRANSACTIONS: b"t",
    Table.META: b"m",
}
HINT = "restore it with `repair`, from a backup, a chain file or a replica"
NO_ROOM = ("No space left", "Disk quota exceeded", "File too large")


class RocksDb:
    """Readers may be on any thread; commits come from one writer. The directory is its owner's only.

    `read_only` opens what another process may be writing, as of this moment, and writes nothing there.
    `salvage` is read-only too, and makes do with what can be read: no more of the log than what comes before its damage.
    """

    def __init__(self, directory: Path, *, read_only: bool = False, salvage: bool = False) -> None:
        self.directory = directory
        self.read_only = read_only or salvage
        self._view: View | None = None
        self._has_failed = False  # a write, and whoever asked for it was told so
        if (directory / "data.mdb").exists():
            raise StoreFailed(f"{directory} was written by an earlier version (LMDB): `export` with that one, `import` the file with this")
        try:
            if salvage:
                self._rows = self._salvage()
            else:
                self._rows = self._open_view() if read_only else self._open()
        except Exception as error:  # rocksdict raises nothing more exact
            raise StoreFailed(f"the store in {directory} cannot be opened: {error}; {_remedy(error)}") from error
        self._codes: LRU[bytes, bytes] = LRU(CACHED_CODES)  # each call is one C function under the interpreter lock

    def get(self, table: Table, key: bytes) -> bytes | None:
        """Raises StoreFailed, also for state that is not what its hash says."""
        if table is not Table.STATE:
            return self._read(table, key)
        code = self._codes.get(key)
        if code is not None:
            return code
        value = self._read(table, key)
        if value is not None:
            if keccak(value) != key:
                raise StoreFailed(f"state node 0x{key.hex()} is corrupt in {self.directory}; {HINT}")
            if len(value) > NODE_BYTES_MAX:
                self._codes[key] = value
        return value

    def commit(self, writes: Writes) -> None:
        batch = WriteBatch(raw_mode=True)
        for table, rows in writes.items():
            prefix = PREFIXES[table]
            for key, value in rows.items():
                batch.put(prefix + key, value)
        try:
            self._rows.write(batch)
            self._rows.flush_wal(True)  # a call of its own: this one lets other threads run while the disk works
        except Exception as error:
            self._has_failed = True
            raise self._cannot_be_written(error) from error

    def copy_to(self, directory: Path) -> None:
        """A copy of every row, checksums checked, as of when this store was opened. On disk when it returns."""
        copy = RocksDb(directory)
        unlogged = WriteOptions()
        unlogged.disable_wal = True  # type: ignore[assignment, method-assign]  # a property, whatever its stub says
        try:
            for batch in self._batches():
                copy._rows.write(batch, unlogged)
            copy._rows.flush()
        except Exception as error:
            raise StoreFailed(f"the store in {self.directory} cannot be copied to {directory}: {error}; {_remedy(error)}") from error
        finally:
            copy.close()
        flush_names(directory)

    def close(self) -> None:
        """Raises StoreFailed where the disk takes no more, unless a commit did so before. Of what was committed nothing is lost."""
        try:
            self._rows.close()
        except Exception as error:
            if not self._has_failed:
                raise self._cannot_be_written(error) from error
        finally:
            if self._view is not None:
                self._view.close()

    def _cannot_be_written(self, error: Exception) -> StoreFailed:
        remedy = "make room" if _is_full(error) else "see to the disk"
        reason = str(error).removesuffix(".")
        return StoreFailed(
            f"the store in {self.directory} cannot be written: {reason}; {remedy} and start again, what was acknowledged is kept"
        )

    def _open(self) -> Rdict:
        if not self.directory.exists() and self.directory.with_name(self.directory.name + ".damaged").exists():
            raise StoreFailed("a repair was stopped half-way")  # an empty store would start the chain again
        os.umask(0o077)  # also for the files that RocksDB's own threads make later
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_logs(self.directory)
        options = _options()
        options.create_if_missing(not _has_rows(self.directory))  # RocksDB would delete what a missing list does not name
        options.set_max_open_files(FILES_OPEN)
        return Rdict(str(self.directory), options)

    def _open_view(self) -> Rdict:
        if not (self.directory / "CURRENT").is_file():
            raise StoreFailed("there is no store")
        options = _options()
        options.set_max_open_files(-1)  # all from the start: the writer may delete them
        for attempt in range(1, VIEWS_TRIED + 1):
            view = View(self.directory)
            try:
                _check_logs(view.path)
                rows = Rdict(str(view.path), options, access_type=AccessType.read_only(False))
            except Exception:
                outdated = view.is_outdated()
                view.close()
                if not outdated or attempt == VIEWS_TRIED:
                    raise
            else:
                self._view = view
                return rows
        raise AssertionError("the last try returns or raises")

    def _salvage(self) -> Rdict:
        if not self.directory.is_dir():
            raise StoreFailed("there is no store")
        options = _options()
        options.set_wal_recovery_mode(DBRecoveryMode.point_in_time())
        self._view = View(self.directory, cut_logs=True)
        try:
            _check_logs(self._view.path)
            return Rdict(str(self._view.path), options, access_type=AccessType.read_only(False))
        except Exception:
            self._view.drop_manifest()
            Rdict.repair(str(self._view.path), options)
            return Rdict(str(self._view.path), options, access_type=AccessType.read_only(False))

    def _read(self, table: Table, key: bytes) -> bytes | None:
        try:
            value: bytes | None = self._rows.get(PREFIXES[table] + key)
        except Exception as error:
            raise StoreFailed(f"{_row(table, key)} cannot be read from {self.directory}: {error}; {HINT}") from error
        return value

    def _batches(self) -> Iterator[WriteBatch]:
        rows, batch = self._rows.iter(), WriteBatch(raw_mode=True)
        rows.seek_to_first()
        while rows.valid():
            batch.put(rows.key(), rows.value())
            if len(batch) == COPIED_AT_ONCE:
                yield batch
                batch = WriteBatch(raw_mode=True)
            rows.next()
        rows.status()  # raises if it was not the end that stopped it
        yield batch


def _options() -> Options:
    """Point reads of random keys, with bounded memory: indexes and filters live in the block cache, in parts."""
    blocks = BlockBasedOptions()
    blocks.set_block_cache(Cache(BLOCK_CACHE_BYTES))
    blocks.set_bloom_filter(10, False)
    blocks.set_index_type(BlockBasedIndexType.two_level_index_search())
    blocks.set_partition_filters(True)
    blocks.set_cache_index_and_filter_blocks(True)
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
    blocks.set_pin_top_level_index_and_filter(True)
    options = Options(raw_mode=True)
    # a torn last record was never acknowledged; anything else that is wrong with the log is refused, not cut off
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    options.set_block_based_table_factory(blocks)
    options.set_compression_type(DBCompressionType.lz4())  # for calldata and receipts; hashes stay as they are
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_target_file_size_base(FILE_BYTES)
    options.set_max_background_jobs(2)
    options.set_bytes_per_sync(1 << 20)
    options.set_stats_dump_period_sec(0)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(1 << 20)
    return options


def _is_full(error: Exception) -> bool:
    return any(words in str(error) for words in NO_ROOM)


def _remedy(error: Exception) -> str:
    return "make room and start again" if _is_full(error) else HINT


def _check_logs(directory: Path) -> None:
    for log in sorted(directory.iterdir()):
        if log.suffix == ".log" or log.name.startswith("MANIFEST-"):
            at = damaged_at(log)
            if at is not None:
                raise StoreFailed(f"{log.name} is damaged at byte {at}")


def _has_rows(directory: Path) -> bool:
    return any(file.suffix in (".sst", ".log") for file in directory.iterdir())


def _row(table: Table, key: bytes) -> str:
    name = table.value.decode()
    return f"block {int.from_bytes(key, 'big')} in {name}" if len(key) == 8 else f"0x{key.hex()} in {name}"


def flush_names(directory: Path) -> None:
    """Files made or renamed in a directory are there after a power cut."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
