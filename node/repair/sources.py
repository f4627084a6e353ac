"""Where the same chain may be had: a data directory, a chain file, a node. What they give is a claim until it has been executed."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from eth_hash.auto import keccak

from node.chain import rlp
from node.chain.blocks import wire_item
from node.chain.errors import BadGenesis, ChainError, NotOnChain, StoreFailed
from node.chain.following import SealedBlock
from node.chain.genesis import GenesisConfig, genesis_block
from node.chain.history import HEAD, block_key
from node.chain.ports import Table
from node.chain.sealing import NotSealed, Sealers
from node.chain.verification import UNDECODABLE
from node.config import DataDirectory
from node.replica.primary import Primary
from node.store.chain_file import ChainHead, open_chain_file, read_blocks, read_head
from node.store.database import RocksDb

FETCHED_AT_ONCE = 32


class Source(Protocol):
    """Asked for blocks from 1 to `head.blocks`, in order."""

    head: ChainHead

    def block(self, number: int) -> SealedBlock:
        """Raises a ChainError if this one cannot be read."""
        ...


@contextlib.contextmanager
def open_source(place: str) -> Iterator[Source]:
    """Raises a ChainError if there is no chain at `place`."""
    if place.startswith(("http://", "https://")):
        with Primary(place) as primary:
            yield FromNode(primary)
    elif Path(place).is_dir():
        directory = DataDirectory(Path(place))
        with contextlib.closing(RocksDb(directory.store, read_only=True)) as store:
            yield StoredBlocks(store, directory.genesis())
    else:
        with contextlib.closing(open_chain_file(Path(place))) as lines:
            head = read_head(lines)
            yield FromFile(head, read_blocks(lines, head))


class StoredBlocks:
    """Block by block, whatever the state of the others."""

    def __init__(self, store: RocksDb, config: GenesisConfig) -> None:
        self.store = store
        self.knows_its_head = True
        self._genesis_hash = genesis_block(config)[0].hash
        try:
            genesis_seal = self._row(Table.SEALS, 0)
        except ChainError:
            genesis_seal = b""
        self.head = ChainHead(config, self._genesis_hash, genesis_seal, self._last_number())

    def block(self, number: int) -> SealedBlock:
        header, bodies = self._row(Table.HEADERS, number), self._row(Table.BODIES, number)
        try:
            items = [wire_item(raw) for raw in rlp.decode(bodies)]
            raw = rlp.encode([rlp.decode(header), items, [], []])
        except UNDECODABLE as error:
            raise StoreFailed(f"block {number} cannot be decoded: {error}") from error
        return SealedBlock(number, raw, self._row(Table.SEALS, number))

    def sealed_hash(self, number: int, sealers: Sealers) -> bytes | None:
        """The block that was sealed under this number, if header and seal can be read and agree. `sealers`: up to the block before."""
        try:
            block_hash = keccak(self._row(Table.HEADERS, number))
            sealers.after(number, self._genesis_hash, block_hash, self._row(Table.SEALS, number))
            return block_hash
        except (ChainError, NotSealed):
            return None

    def _row(self, table: Table, number: int) -> bytes:
        row = self.store.get(table, block_key(number))
        if row is None:
            raise NotOnChain(f"block {number} has no row in {table.value.decode()}")
        return row

    def _last_number(self) -> int:
        """What the head's record says, or the last block that has anything if that is beyond it."""
        try:
            number = int.from_bytes(self.store.get(Table.META, HEAD) or b"", "big")
        except StoreFailed:
            self.knows_its_head, number = False, 0
        while any(self._is_there(table, number + 1) for table in (Table.HEADERS, Table.BODIES, Table.SEALS)):
            number += 1
        return number

    def _is_there(self, table: Table, number: int) -> bool:
        try:
            return self.store.get(table, block_key(number)) is not None
        except StoreFailed:
            return False


class FromFile:
    def __init__(self, head: ChainHead, blocks: Iterator[SealedBlock]) -> None:
        self.head = head
        self._blocks = blocks

    def block(self, number: int) -> SealedBlock:
        for sealed in self._blocks:
            if sealed.number == number:
                return sealed
        raise NotOnChain(f"block {number} cannot be read from the file")


class FromNode:
    def __init__(self, primary: Primary) -> None:
        self.head = primary.genesis()
        self._primary = primary
        self._fetched: dict[int, SealedBlock] = {}

    def block(self, number: int) -> SealedBlock:
        if number not in self._fetched:
            count = min(FETCHED_AT_ONCE, self.head.blocks - number + 1)
            self._fetched = {sealed.number: sealed for sealed in self._primary.blocks(number, count)}
        return self._fetched[number]


def check_same_chain(source: Source, config: GenesisConfig) -> None:
    if source.head.config != config:
        raise BadGenesis("block 0: the source holds another chain; nothing was changed")
