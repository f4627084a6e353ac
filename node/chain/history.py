"""The sealed chain as readers see it. Blocks up to the head never change, so readers need no lock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from eth.constants import MAX_PREV_HEADER_DEPTH
from eth_hash.auto import keccak

from node.chain import receipts, rlp, transactions
from node.chain.bell import Bell
from node.chain.blocks import Block, Execution
from node.chain.budget import Budget
from node.chain.errors import NotOnChain, StoreFailed, TooMuch
from node.chain.genesis import GenesisConfig
from node.chain.logs import LogFilter
from node.chain.ports import BlockStore, Table, Writes
from node.chain.receipts import Log, Receipt
from node.chain.rules import Header
from node.chain.sealing import Sealers, decode_handovers
from node.chain.trie.source import NodeCache

HEAD = b"head"
HANDOVERS = b"handovers"
BLOCKS_KEPT = 16  # decoded
BLOOM_OFFSET = 192  # of a header's RLP: a 3-byte list prefix, parent, uncles, coinbase, three roots, a 3-byte prefix


@dataclass(frozen=True)
class FoundLog:
    """A log and where it stands."""

    log: Log
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    transaction_index: int
    log_index: int
    timestamp: int


class History:
    """Reads the store; `advance` is called by the one writer after each commit."""

    def __init__(self, store: BlockStore, config: GenesisConfig, *, batched_trie: bool = True) -> None:
        self.store = store
        self.config = config
        self.nodes = NodeCache() if batched_trie else None
        head = store.get(Table.META, HEAD)
        assert head is not None, "a history opens after its genesis is stored"
        self.head = self.header(int.from_bytes(head, "big"))
        self.genesis_hash = bytes(self.header(0).hash)
        self.new_head = Bell()
        self.block = lru_cache(BLOCKS_KEPT)(self._read_block)  # clients ask for a new block's receipts one by one
        self.receipts = lru_cache(BLOCKS_KEPT)(self._read_receipts)

    def advance(self, header: Header) -> None:
        assert header.block_number == self.head.block_number + 1
        self.head = header
        self.new_head.ring()

    def read_node(self, node_hash: bytes) -> bytes | None:
        return self.store.get(Table.STATE, node_hash)

    def raw_header(self, number: int) -> bytes:
        return self._require(Table.HEADERS, block_key(number), f"block {number}")

    def header(self, number: int) -> Header:
        return rlp.decode_as(self.raw_header(number), Header)

    def number_of(self, block_hash: bytes) -> int:
        what = f"block 0x{block_hash.hex()}"
        number = int.from_bytes(self._require(Table.HASHES, block_hash, what), "big")
        if number > self.head.block_number:  # being committed: a store may show it before it is on disk
            raise NotOnChain(f"{what} not found")
        return number

    def raw_receipts(self, number: int) -> tuple[bytes, ...]:
        return receipts.unpack_encoded(self._packed_receipts(number))

    def seal(self, number: int) -> bytes:
        return self._require(Table.SEALS, block_key(number), f"seal of block {number}")

    @property
    def sealers(self) -> Sealers:
        return sealers_of(self.store, self.config)

    def place_of(self, transaction_hash: bytes) -> tuple[int, int] | None:
        """Block number and index of a sealed transaction, or None, also while its block is being committed."""
        place = self.store.get(Table.TRANSACTIONS, transaction_hash)
        if place is None:
            return None
        number, index = int.from_bytes(place[:8], "big"), int.from_bytes(place[8:], "big")
        return None if number > self.head.block_number else (number, index)

    def previous_hashes(self, number: int) -> Iterator[bytes]:
        """Hashes of the blocks before `number`, latest first, as BLOCKHASH reaches them. Lazy: few blocks look."""
        for earlier in range(number - 1, max(-1, number - 1 - MAX_PREV_HEADER_DEPTH), -1):
            yield keccak(self.raw_header(earlier))

    def logs(self, wanted: LogFilter, first: int, last: int, *, logs_max: int, budget: Budget) -> list[FoundLog]:
        """Raises TooMuch, or BudgetSpent, rather than answer with a part."""
        found: list[FoundLog] = []
        for _, logs in self.logs_by_block(wanted, first, last):
            budget.pulse()
            budget.hold(sum(item.log.size for item in logs))
            found += logs
            if len(found) > logs_max:
                raise TooMuch(f"query returned more than {logs_max} logs; ask for a smaller block range")
        return found

    def logs_by_block(self, wanted: LogFilter, first: int, last: int) -> Iterator[tuple[int, list[FoundLog]]]:
        """Of each block its number, and what is wanted of it, mostly nothing."""
        may_match = wanted.bloom_test()
        for number in range(first, last + 1):
            raw = self.raw_header(number)
            if may_match(raw[BLOOM_OFFSET : BLOOM_OFFSET + receipts.BLOOM_BYTES]):
                yield number, [item for item in self._logs_of_block(number) if wanted.matches(item.log)]
            else:
                yield number, []

    def _logs_of_block(self, number: int) -> Iterator[FoundLog]:
        items = self.receipts(number)
        if not any(item.logs for item in items):
            return
        header, bodies = self.header(number), self._raw_transactions(number)
        log_index = 0
        for index, (receipt, raw) in enumerate(zip(items, bodies, strict=True)):
            transaction_hash = keccak(raw)
            for log in receipt.logs:
                yield FoundLog(log, number, header.hash, transaction_hash, index, log_index, header.timestamp)
                log_index += 1

    def _read_block(self, number: int) -> Block:
        return Block(self.header(number), tuple(transactions.decode(raw) for raw in self._raw_transactions(number)))

    def _read_receipts(self, number: int) -> tuple[Receipt, ...]:
        return receipts.unpack(self._packed_receipts(number))

    def _raw_transactions(self, number: int) -> Sequence[bytes]:
        bodies: list[bytes] = rlp.decode(self._require(Table.BODIES, block_key(number), f"block {number}"))
        return bodies

    def _packed_receipts(self, number: int) -> bytes:
        return self._require(Table.RECEIPTS, block_key(number), f"receipts of block {number}")

    def _require(self, table: Table, key: bytes, what: str) -> bytes:
        value = self.store.get(table, key)
        if value is None:
            raise NotOnChain(f"{what} not found")
        return value


def sealers_of(store: BlockStore, config: GenesisConfig) -> Sealers:
    """As the blocks so far have it. Raises StoreFailed if the record of it is damaged."""
    try:
        return Sealers(config.sealer, decode_handovers(store.get(Table.META, HANDOVERS) or b""))
    except ValueError as error:
        raise StoreFailed(f"the record of who sealed is damaged: {error}; restore it with `repair`") from error


def block_writes(execution: Execution, seal: bytes, handovers: bytes | None = None) -> dict[Table, dict[bytes, bytes]]:
    """Everything one block leaves on disk: the content of its one atomic commit. `handovers`: all so far, if it carries one."""
    header, key = execution.header, block_key(execution.header.block_number)
    return {
        Table.STATE: execution.state_writes,
        Table.HEADERS: {key: rlp.encode(header)},
        Table.BODIES: {key: rlp.encode([item.raw for item in execution.transactions])},
        Table.RECEIPTS: {key: receipts.pack(execution.receipts, execution.encoded_receipts)},
        Table.SEALS: {key: seal},
        Table.HASHES: {header.hash: key},
        Table.TRANSACTIONS: {item.hash: key + index.to_bytes(4, "big") for index, item in enumerate(execution.transactions)},
        Table.META: {HEAD: key} if handovers is None else {HEAD: key, HANDOVERS: handovers},
    }


def genesis_writes(header: Header, state: dict[bytes, bytes], seal: bytes) -> Writes:
    return block_writes(Execution(header, state_writes=state), seal)


def block_key(number: int) -> bytes:
    return number.to_bytes(8, "big")
