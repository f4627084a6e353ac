"""Opening a chain: lay down the genesis in a new store, check the head in an old one. One that lost its chain is neither."""

from eth_keys.datatypes import PrivateKey

from node.chain import rlp
from node.chain.clock import ChainClock, clock_at_genesis
from node.chain.clock import decode as decode_clock
from node.chain.clock import encode as encode_clock
from node.chain.errors import BadBlock, BadGenesis, MalformedTransaction, NotOnChain, StoreFailed
from node.chain.genesis import GenesisConfig, canonical_json, genesis_block
from node.chain.history import HEAD, History, block_key, genesis_writes
from node.chain.ports import BlockStore, Table
from node.chain.rules import Header
from node.chain.sealing import seal, seal_holds
from node.chain.verification import UNDECODABLE
from node.store.begun import lost, note_begun, was_begun
from node.store.database import HINT, RocksDb

GENESIS = b"genesis"
CLOCK = b"clock"


def open_history(
    store: RocksDb,
    config: GenesisConfig,
    sealer_key: PrivateKey | None,
    wall_seconds: float,
    *,
    may_begin: bool = False,
    batched_trie: bool = True,
) -> History:
    """Raises BadGenesis if the store belongs to another chain, StoreFailed if its chain is lost, BadBlock if its head is not whole.

    With `may_begin` a new store gets its genesis, sealed with the key. A replica, a backup or an import has no key and opens all the same.
    """
    if store.get(Table.META, HEAD) is None:
        _check_key(sealer_key, config.sealer)
        if was_begun(store.directory):
            raise lost(store.directory)
        if sealer_key is None or not may_begin:
            raise BadGenesis(f"{store.directory} holds no block yet: `run` seals the first one")
        genesis_hash = genesis_block(config)[0].hash
        lay_genesis(store, config, seal(sealer_key, genesis_hash, genesis_hash), wall_seconds)
    if store.get(Table.META, GENESIS) != canonical_json(config):
        raise BadGenesis("the store holds a chain with another genesis")
    if not store.read_only:
        note_begun(store.directory)
    for key in (store.get(Table.META, HEAD) or b"", block_key(0)):
        _check_header(store, key)
    history = History(store, config, batched_trie=batched_trie)
    _check_key(sealer_key, history.sealers.last)
    check_head(history)
    return history


def _check_key(key: PrivateKey | None, sealer: bytes) -> None:
    if key is not None and key.public_key.to_canonical_address() != sealer:
        raise BadGenesis(f"the sealer key file is not the key of this chain's sealer, 0x{sealer.hex()}")


def lay_genesis(store: RocksDb, config: GenesisConfig, genesis_seal: bytes, wall_seconds: float) -> None:
    """Writes block 0 under a seal that the sealer made. Raises BadGenesis if it is not, StoreFailed if a chain was lost here."""
    if was_begun(store.directory):
        raise lost(store.directory)
    header, state = genesis_block(config)
    if not seal_holds(genesis_seal, config.sealer, header.hash, header.hash):
        raise BadGenesis("block 0: the seal is not the sealer's")
    writes = genesis_writes(header, state, genesis_seal)
    clock = encode_clock(clock_at_genesis(config.sandbox, config.timestamp, wall_seconds))
    store.commit({**writes, Table.META: {**writes[Table.META], GENESIS: canonical_json(config), CLOCK: clock}})


def _check_header(store: RocksDb, key: bytes) -> None:
    number = int.from_bytes(key, "big")
    row = store.get(Table.HEADERS, key)
    if row is None:
        raise BadBlock(f"the head's record names block {number}, which is not in the store; {HINT}")
    try:
        rlp.decode_as(row, Header)
    except UNDECODABLE as error:
        raise BadBlock(f"block {number}: its stored header cannot be decoded: {error}; {HINT}") from error


def check_head(history: History) -> None:
    head = history.head
    number = head.block_number
    try:
        if history.number_of(head.hash) != number:
            raise BadBlock(f"head block {number} is indexed under another number")
        if number and history.header(number - 1).hash != head.parent_hash:
            raise BadBlock(f"head block {number} does not follow from block {number - 1}")
        history.block(number), history.receipts(number)
        seal_of_head = history.seal(number)
    except NotOnChain as error:
        raise BadBlock(f"head block {number} is not whole: {error}") from error
    except (MalformedTransaction, *UNDECODABLE) as error:
        raise BadBlock(f"head block {number}: its stored rows cannot be decoded: {error}; {HINT}") from error
    followed = history.store.get(Table.HEADERS, block_key(number + 1)) is not None
    if followed and history.store.get(Table.META, HEAD) == block_key(number):  # a node at work may have sealed since
        raise BadBlock(f"head block {number} has a block after it: the head's record is corrupt")
    if not seal_holds(seal_of_head, history.sealers.at(number), history.genesis_hash, head.hash):
        raise BadBlock(f"head block {number} does not carry its sealer's seal")
    if head.state_root != history.header(0).state_root and history.read_node(head.state_root) is None:
        raise BadBlock(f"head block {number} has no state")


def load_clock(store: BlockStore, config: GenesisConfig) -> ChainClock:
    """Raises StoreFailed if it is lost: it is stored with the genesis."""
    try:
        return decode_clock(store.get(Table.META, CLOCK) or b"", config.sandbox)
    except (ValueError, TypeError, KeyError) as error:
        raise StoreFailed(f"the chain's clock in the store cannot be decoded: {error!r}; {HINT}") from error


def clock_writes(clock: ChainClock) -> dict[Table, dict[bytes, bytes]]:
    return {Table.META: {CLOCK: encode_clock(clock)}}
