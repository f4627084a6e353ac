"""Rebuilds a store block by block, each executed again: the store's own blocks where they are good, the source's where they are not.

History is never rewritten: a block that the sealer sealed and this store still shows is the only one of its number that is taken.
"""

import contextlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from node.chain.errors import BadBlock, BadGenesis, ChainError, NotOnChain, StoreFailed
from node.chain.following import SealedBlock, adopt, decode_block
from node.chain.genesis import GenesisConfig, genesis_block
from node.chain.history import HANDOVERS, HEAD, History, block_key
from node.chain.ports import Table, Writes
from node.chain.sealing import seal_holds
from node.config import DataDirectory, DataDirectoryError
from node.repair.sources import Source, StoredBlocks, check_same_chain
from node.store.begun import note_begun
from node.store.database import RocksDb, flush_names
from node.store.recovery import GENESIS, check_head, clock_writes, lay_genesis, load_clock

UNKNOWN_TAIL = "anything the damaged store held after block {head} is lost here: if a replica has more, repair from that one before you run"


@dataclass
class Repaired:
    """`restored_rows`, by table: what the damaged store did not have, or not so."""

    head: int = 0
    blocks_from_source: list[int] = field(default_factory=list)
    restored_rows: Counter[str] = field(default_factory=Counter)
    damaged_store: Path | None = None
    warning: str | None = None


def repair(directory: DataDirectory, source: Source | None, progress: Callable[[int], object] = lambda number: None) -> Repaired:
    """The damaged store is kept aside; a store with nothing wrong is left as it is. Raises a ChainError, and then nothing was changed."""
    config = directory.genesis()
    if source is not None:
        check_same_chain(source, config)
    if directory.store.is_mount():
        raise DataDirectoryError(f"{directory.store} is a disk of its own, which no rebuilt store can replace: unmount it, then repair")
    lock = directory.lock()
    try:
        _finish_a_stopped_repair(directory)
        shutil.rmtree(directory.repaired_store, ignore_errors=True)
        result = _Rebuilding(directory, config, source).run(progress)
        if result.restored_rows or result.warning:
            note_begun(directory.store)  # an earlier version may have begun it: stopped here, it is not taken for new
            if os.path.lexists(directory.store):
                os.rename(directory.store, directory.damaged_store)
                result.damaged_store = directory.damaged_store
            os.rename(directory.repaired_store, directory.store)
            flush_names(directory.path)
    except OSError as error:
        raise DataDirectoryError(f"{directory.path} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(directory.repaired_store, ignore_errors=True)
        os.close(lock)
    return result


class _Rebuilding:
    def __init__(self, directory: DataDirectory, config: GenesisConfig, source: Source | None) -> None:
        self._directory = directory
        self._config = config
        self._source = source
        self._result = Repaired()

    def run(self, progress: Callable[[int], object]) -> Repaired:
        with contextlib.ExitStack() as stack:
            own = self._open_own(stack)
            fresh = stack.enter_context(contextlib.closing(RocksDb(self._directory.repaired_store)))
            lay_genesis(fresh, self._config, self._genesis_seal(own), time.time())
            history = History(fresh, self._config)
            self._compare(own, _rows_of_genesis(history))
            last = max(own.head.blocks if own else 0, self._source.head.blocks if self._source else 0)
            for number in range(1, last + 1):
                self._take(history, own, number)
                progress(number)
            record = fresh.get(Table.META, HANDOVERS)
            handovers = {} if record is None else {HANDOVERS: record}
            self._compare(own, {Table.META: {HEAD: block_key(last), GENESIS: fresh.get(Table.META, GENESIS) or b"", **handovers}})
            self._keep_clock(own, fresh)
            check_head(history)
        self._result.head = last
        if self._result.warning:
            self._result.warning = self._result.warning.format(head=last)
        return self._result

    def _open_own(self, stack: contextlib.ExitStack) -> StoredBlocks | None:
        try:
            store = RocksDb(self._directory.store, read_only=True)
        except StoreFailed:
            self._result.warning = UNKNOWN_TAIL
            try:
                store = RocksDb(self._directory.store, salvage=True)
            except StoreFailed:
                return None
        own = StoredBlocks(stack.enter_context(contextlib.closing(store)), self._config)
        if not own.knows_its_head:
            self._result.warning = UNKNOWN_TAIL
        return own

    def _genesis_seal(self, own: StoredBlocks | None) -> bytes:
        genesis_hash = genesis_block(self._config)[0].hash
        for place in (own, self._source):
            if place is not None and seal_holds(place.head.genesis_seal, self._config.sealer, genesis_hash, genesis_hash):
                return place.head.genesis_seal
        raise BadGenesis("block 0: its seal is broken here, and no source has it")

    def _take(self, history: History, own: StoredBlocks | None, number: int) -> None:
        """Commits the block of this number. Raises BadBlock if there is none that is good, or another than was sealed here."""
        offered = self._offered(number)
        sealed_here = None if own is None else own.sealed_hash(number, history.sealers)
        if offered is not None and sealed_here is not None:
            self._check_same_block(offered, sealed_here)
        try:
            header, writes = adopt(history, self._own_block(own, number), time.time())
        except ChainError as broken:
            if offered is None:
                end = "there is no source" if self._source is None else f"the source ends at block {self._source.head.blocks}"
                raise BadBlock(f"block {number} is broken here ({broken}), and {end}; nothing was changed") from broken
            header, writes = adopt(history, offered, time.time())
            self._result.blocks_from_source.append(number)
        if sealed_here is not None and header.hash != sealed_here:
            raise BadBlock(f"block {number}: the sealer has sealed another one here, 0x{sealed_here.hex()}; nothing was changed")
        self._compare(own, {table: rows for table, rows in writes.items() if table is not Table.META})
        history.store.commit(writes)
        history.advance(header)

    def _offered(self, number: int) -> SealedBlock | None:
        if self._source is None or number > self._source.head.blocks:
            return None
        try:
            sealed = self._source.block(number)
            decode_block(number, sealed.raw)
        except (StoreFailed, NotOnChain, BadBlock):  # damaged too: it may be good here
            return None
        return sealed

    def _own_block(self, own: StoredBlocks | None, number: int) -> SealedBlock:
        if own is None:
            raise NotOnChain("the store cannot be read")
        return own.block(number)

    def _check_same_block(self, offered: SealedBlock, sealed_here: bytes) -> None:
        block = decode_block(offered.number, offered.raw)
        if block.hash != sealed_here:
            found = f"0x{block.hash.hex()}, here the sealer sealed 0x{sealed_here.hex()}"
            raise BadBlock(f"block {offered.number}: the source has another one, {found}; nothing was changed")

    def _compare(self, own: StoredBlocks | None, writes: Writes) -> None:
        for table, rows in writes.items():
            for key, value in rows.items():
                if own is None or not _holds(own.store, table, key, value):
                    self._result.restored_rows[table.value.decode()] += 1

    def _keep_clock(self, own: StoredBlocks | None, fresh: RocksDb) -> None:
        """A sandbox chain's set time. If it cannot be read, time runs on from the head."""
        if own is not None:
            try:
                clock = load_clock(own.store, self._config)
            except StoreFailed:
                self._result.restored_rows[Table.META.value.decode()] += 1
            else:
                fresh.commit(clock_writes(clock))


def _rows_of_genesis(history: History) -> Writes:
    header, state = genesis_block(history.config)
    key = block_key(0)
    return {
        Table.STATE: state,
        Table.SEALS: {key: history.seal(0)},
        Table.HASHES: {header.hash: key},
        Table.HEADERS: {key: history.raw_header(0)},
        Table.BODIES: {key: history.store.get(Table.BODIES, key) or b""},
    }


def _holds(store: RocksDb, table: Table, key: bytes, value: bytes) -> bool:
    try:
        return store.get(table, key) == value
    except StoreFailed:
        return False


def _finish_a_stopped_repair(directory: DataDirectory) -> None:
    if not directory.store.exists() and directory.repaired_store.exists() and directory.damaged_store.exists():
        os.rename(directory.repaired_store, directory.store)
    if directory.damaged_store.exists():
        raise DataDirectoryError(f"{directory.damaged_store} is there from an earlier repair; move it away, then repair again if need be")
