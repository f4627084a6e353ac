"""Checkpoints: a witness signs which block it saw at a number, the block's time, and when it saw it by its own clock.

The digest is in the style of a seal: the genesis hash stands for coalition and chain, since it commits to both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from gateway.ledger.anchors import Anchor, AnchorKind
from gateway.ledger.recover import recover_address
from gateway.values.hex import hex_text
from gateway.values.ids import Address, Hash

CHECKPOINT_FORMAT = "splittally-checkpoint/2"
SKEW_SECONDS = 300
_PREFIX = b"Splittally checkpoint"
_LARGEST = 2**63 - 1


class NoCheckpoint(ValueError):
    """What is no checkpoint, or signed by somebody else than it names."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Times in Unix seconds. `signature` is 65 bytes r, s, v with v 0 or 1 and a low s."""

    genesis_hash: Hash
    number: int
    block_hash: Hash
    block_time: int
    witnessed_at: int
    witness: Address
    signature: bytes

    @property
    def digest(self) -> Hash:
        return checkpoint_digest(self.genesis_hash, self.number, self.block_hash, self.block_time, self.witnessed_at)


def checkpoint_anchor(checkpoint: Checkpoint, number: int, previous: Hash) -> Anchor:
    """Its count is the block's number; whoever holds the checkpoint finds its root in the state."""
    return Anchor(AnchorKind.CHECKPOINT, checkpoint.genesis_hash, number, previous, checkpoint_root(checkpoint), checkpoint.number)


def checkpoint_root(checkpoint: Checkpoint) -> Hash:
    """What is anchored, by the signature also whose it is: two witnesses who look in the same second sign the same."""
    return Hash(keccak(checkpoint.digest + checkpoint.signature))


def checkpoint_digest(genesis_hash: Hash, number: int, block_hash: Hash, block_time: int, witnessed_at: int) -> Hash:
    """What a witness signs."""
    return Hash(keccak(_PREFIX + genesis_hash + number.to_bytes(8) + block_hash + block_time.to_bytes(8) + witnessed_at.to_bytes(8)))


def checkpoint_json(checkpoint: Checkpoint) -> dict[str, Any]:
    """The file that the node's own commands and `verify_chain.py` take."""
    return {
        "format": CHECKPOINT_FORMAT,
        "genesisHash": str(checkpoint.genesis_hash),
        "number": checkpoint.number,
        "blockHash": str(checkpoint.block_hash),
        "blockTime": checkpoint.block_time,
        "witnessedAt": checkpoint.witnessed_at,
        "signer": str(checkpoint.witness),
        "signature": hex_text(checkpoint.signature),
    }


def check_signed(checkpoint: Checkpoint) -> None:
    """Raises NoCheckpoint unless its witness signed it."""
    numbers = checkpoint.number, checkpoint.block_time, checkpoint.witnessed_at
    if not all(0 <= number <= _LARGEST for number in numbers):
        raise NoCheckpoint("a number of it is out of range")
    signer = recover_detached(checkpoint.digest, checkpoint.signature)
    if signer != checkpoint.witness:
        raise NoCheckpoint(f"the signature is {'no one' if signer is None else signer}'s, not that of {checkpoint.witness}")


def recover_detached(digest: bytes, signature: bytes) -> Address | None:
    """The signer of a seal, a handover or a checkpoint, whose v is 0 or 1."""
    if len(signature) != 65 or signature[64] > 1:
        return None
    return recover_address(digest, signature[:64] + bytes([signature[64] + 27]))
