"""Opening a chain: lay down the genesis in a new store, check the head in an old one."""

from eth_keys.datatypes import PrivateKey

from node.chain.clock import ChainClock, clock_at_genesis
from node.chain.clock import decode as decode_clock
from node.chain.clock import encode as encode_clock
from node.chain.errors import BadBlock, BadGenesis, NotOnChain
from node.chain.genesis import GenesisConfig, canonical_json, genesis_block
from node.chain.history import HEAD, History, genesis_writes
from node.chain.ports import BlockStore, Table
from node.chain.sealing import seal, seal_holds

GENESIS = b"genesis"
CLOCK = b"clock"


def open_history(store: BlockStore, config: GenesisConfig, sealer_key: PrivateKey, wall_seconds: float) -> History:
    """Raises BadGenesis if the store belongs to another chain, BadBlock if its head does not hold together."""
    if sealer_key.public_key.to_canonical_address() != config.sealer:
        raise BadGenesis("the sealer key file is not the key of this chain's sealer")
    if store.get(Table.META, HEAD) is None:
        header, state = genesis_block(config)
        writes = genesis_writes(header, state, seal(sealer_key, header.hash, header.hash))
        clock = encode_clock(clock_at_genesis(config.sandbox, config.timestamp, wall_seconds))
        store.commit({**writes, Table.META: {**writes[Table.META], GENESIS: canonical_json(config), CLOCK: clock}})
    if store.get(Table.META, GENESIS) != canonical_json(config):
        raise BadGenesis("the store holds a chain with another genesis")
    history = History(store, config)
    check_head(history)
    return history


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
    if not seal_holds(seal_of_head, history.config.sealer, history.genesis_hash, head.hash):
        raise BadBlock(f"head block {number} does not carry its sealer's seal")
    if head.state_root != history.header(0).state_root and history.read_node(head.state_root) is None:
        raise BadBlock(f"head block {number} has no state")


def load_clock(store: BlockStore, config: GenesisConfig) -> ChainClock:
    stored = store.get(Table.META, CLOCK)
    assert stored is not None, "the clock is stored with the genesis"
    return decode_clock(stored, config.sandbox)


def clock_writes(clock: ChainClock) -> dict[Table, dict[bytes, bytes]]:
    return {Table.META: {CLOCK: encode_clock(clock)}}
