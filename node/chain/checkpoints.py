"""Countersigned checkpoints: a brand or auditor signs which block it saw at a number. A sealer that tells two stories contradicts one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from node.chain.errors import BadBlock, ChainError, NotOnChain
from node.chain.history import History

PREFIX = b"Splittally checkpoint"


class BadCheckpoint(ChainError):
    """A checkpoint that nobody signed, or of another chain."""


@dataclass(frozen=True)
class Checkpoint:
    """`signer` (20 bytes) signed `digest` of the other fields; `signature` is r ‖ s ‖ v, v 0 or 1."""

    genesis_hash: bytes
    number: int
    block_hash: bytes
    signer: bytes
    signature: bytes


def digest(genesis_hash: bytes, number: int, block_hash: bytes) -> bytes:
    return bytes(keccak(PREFIX + genesis_hash + number.to_bytes(8, "big") + block_hash))


def sign(history: History, number: int, key: PrivateKey) -> Checkpoint:
    block_hash = bytes(history.header(number).hash)
    return Checkpoint(
        genesis_hash=history.genesis_hash,
        number=number,
        block_hash=block_hash,
        signer=key.public_key.to_canonical_address(),
        signature=key.sign_msg_hash(digest(history.genesis_hash, number, block_hash)).to_bytes(),
    )


def check_signature(checkpoint: Checkpoint) -> None:
    """Raises BadCheckpoint unless `signer` signed it."""
    signed = digest(checkpoint.genesis_hash, checkpoint.number, checkpoint.block_hash)
    try:
        recovered = Signature(checkpoint.signature).recover_public_key_from_msg_hash(signed).to_canonical_address()
    except (BadSignature, ValidationError, ValueError) as error:
        raise BadCheckpoint(f"the checkpoint of block {checkpoint.number} is not signed: {error}") from error
    if recovered != checkpoint.signer:
        raise BadCheckpoint(f"the checkpoint of block {checkpoint.number} is not signed by 0x{checkpoint.signer.hex()}")


def check_is_of(history: History, checkpoint: Checkpoint) -> None:
    """Raises BadCheckpoint unless somebody signed it, for this chain."""
    check_signature(checkpoint)
    if checkpoint.genesis_hash != history.genesis_hash:
        raise BadCheckpoint(f"the checkpoint of block {checkpoint.number} is of another chain, 0x{checkpoint.genesis_hash.hex()}")


def compare(history: History, checkpoint: Checkpoint) -> bool:
    """True if this chain has the block, False if it does not reach so far. Raises BadBlock if it has another one there."""
    check_is_of(history, checkpoint)
    try:
        own = bytes(history.header(checkpoint.number).hash)
    except NotOnChain:
        return False
    if own != checkpoint.block_hash:
        raise BadBlock(
            f"block {checkpoint.number}: two stories: it is 0x{own.hex()} here, "
            f"0x{checkpoint.signer.hex()} countersigned 0x{checkpoint.block_hash.hex()}"
        )
    return True


def held_against(history: History, checkpoints: Sequence[Checkpoint], numbers: Iterable[int]) -> Iterator[int]:
    """Passes the numbers on, each block compared with what others countersigned of it. Raises BadBlock, BadCheckpoint before the first."""
    for item in checkpoints:
        check_is_of(history, item)
    for number in numbers:
        for item in checkpoints:
            if item.number == number:
                compare(history, item)
        yield number


def agreement(history: History, checkpoints: Sequence[Checkpoint]) -> dict[str, object]:
    """Of checkpoints that this chain does not contradict, in plain values: how many it agrees with, up to which block, and who signed."""
    agreeing = [item for item in checkpoints if compare(history, item)]
    return {
        "agreeing": len(agreeing),
        "beyond_this_head": len(checkpoints) - len(agreeing),
        "latest_countersigned": max((item.number for item in agreeing), default=None),
        "signers": sorted({"0x" + item.signer.hex() for item in agreeing}),
    }
