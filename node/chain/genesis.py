"""The genesis: a canonical configuration whose keccak, the coalition id, is the genesis block's extra data."""

import json
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak
from eth_typing import Address, BlockNumber

from node.chain.errors import BadGenesis
from node.chain.rules import EMPTY_TRIE_ROOT, RULES, TRANSACTION_GAS_MAX, Header, sealed_gas_max
from node.chain.state import StateOverlay, state_at

GAS_LIMIT = 1 << 28
BASE_FEE_PER_GAS = 7  # EIP-1559's fixed point from below: an eighth of it rounds to nothing, so it never moves


@dataclass(frozen=True)
class GenesisConfig:
    """`allocations`: address → wei. `random` (32 bytes) makes every coalition's id its own."""

    chain_id: int
    sandbox: bool
    sealer: Address
    allocations: tuple[tuple[Address, int], ...]
    timestamp: int
    random: bytes
    gas_limit: int = GAS_LIMIT
    base_fee_per_gas: int = BASE_FEE_PER_GAS
    rules: str = RULES

    @property
    def coalition_id(self) -> bytes:
        return bytes(keccak(canonical_json(self)))


def canonical_json(config: GenesisConfig) -> bytes:
    """Keys sorted, no whitespace, ASCII, addresses and bytes in lower-case hex, wei in decimal strings."""
    document = {
        "allocations": {"0x" + address.hex(): str(wei) for address, wei in config.allocations},
        "baseFeePerGas": config.base_fee_per_gas,
        "chainId": config.chain_id,
        "gasLimit": config.gas_limit,
        "random": "0x" + config.random.hex(),
        "rules": config.rules,
        "sandbox": config.sandbox,
        "sealer": "0x" + config.sealer.hex(),
        "timestamp": config.timestamp,
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def parse_config(text: bytes) -> GenesisConfig:
    """Raises BadGenesis for anything but the canonical form of a valid configuration."""
    try:
        document: dict[str, Any] = json.loads(text)
        config = GenesisConfig(
            chain_id=document["chainId"],
            sandbox=document["sandbox"],
            sealer=Address(bytes.fromhex(document["sealer"][2:])),
            allocations=tuple((Address(bytes.fromhex(address[2:])), int(wei)) for address, wei in sorted(document["allocations"].items())),
            timestamp=document["timestamp"],
            random=bytes.fromhex(document["random"][2:]),
            gas_limit=document["gasLimit"],
            base_fee_per_gas=document["baseFeePerGas"],
            rules=document["rules"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadGenesis(f"the genesis configuration cannot be read: {error!r}") from error
    check_config(config)
    if canonical_json(config) != text.strip():
        raise BadGenesis("the genesis configuration is not in its canonical form")
    return config


def check_config(config: GenesisConfig) -> None:
    if config.rules != RULES:
        raise BadGenesis(f"this node runs the rules {RULES}, the genesis asks for {config.rules!r}")
    for name, value in (("chainId", config.chain_id), ("timestamp", config.timestamp), ("gasLimit", config.gas_limit)):
        if type(value) is not int or not 0 <= value < 1 << 63:
            raise BadGenesis(f"{name} must be a whole number from 0 to 2^63 − 1")
    if config.chain_id == 0:
        raise BadGenesis("chainId 0 is reserved")
    if type(config.sandbox) is not bool:
        raise BadGenesis("sandbox must be true or false")
    if sealed_gas_max(config.gas_limit) < TRANSACTION_GAS_MAX:
        raise BadGenesis("gasLimit must be at least four times the largest transaction (2^26)")
    if type(config.base_fee_per_gas) is not int or not 0 <= config.base_fee_per_gas < 1 << 64:
        raise BadGenesis("baseFeePerGas must be a whole number below 2^64")
    if len(config.sealer) != 20 or any(len(address) != 20 for address, _ in config.allocations):
        raise BadGenesis("sealer and allocated addresses have 20 bytes")
    if len(config.random) != 32:
        raise BadGenesis("random must have 32 bytes")
    if any(not 0 < wei < 1 << 128 for _, wei in config.allocations):
        raise BadGenesis("an allocation must be above 0 and below 2^128 wei")


def genesis_block(config: GenesisConfig) -> tuple[Header, dict[bytes, bytes]]:
    """The genesis header and the state nodes it stands on."""
    check_config(config)
    header = Header(
        difficulty=0,
        block_number=BlockNumber(0),
        gas_limit=config.gas_limit,
        timestamp=config.timestamp,
        coinbase=config.sealer,
        extra_data=config.coalition_id,
        nonce=bytes(8),
        base_fee_per_gas=config.base_fee_per_gas,
    )
    overlay = StateOverlay(lambda _: None)
    state = state_at(overlay, header, EMPTY_TRIE_ROOT, (), config.chain_id)
    for address, wei in config.allocations:
        state.set_balance(address, wei)
    state.persist()
    return header.copy(state_root=state.state_root), overlay.writes
