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
    """`signer` (20 bytes) signed `digest` of the other fields; `signature` is r ‖ s ‖ v, v 0 or 1. Times in Unix seconds: the block's,
    and the signer's own clock when it signed."""

    genesis_hash: bytes
    number: int
    block_hash: bytes
    block_time: int
    witnessed_at: int
    signer: bytes
    signature: bytes


def digest(genesis_hash: bytes, number: int, block_hash: bytes, block_time: int, witnessed_at: int) -> bytes:
    numbers = number.to_bytes(8, "big"), block_time.to_bytes(8, "big") + witnessed_at.to_bytes(8, "big")
    return bytes(keccak(PREFIX + genesis_hash + numbers[0] + block_hash + numbers[1]))


def sign(history: History, number: int, key: PrivateKey, witnessed_at: int) -> Checkpoint:
    header = history.header(number)
    signed = digest(history.genesis_hash, number, header.hash, header.timestamp, witnessed_at)
    return Checkpoint(
        genesis_hash=history.genesis_hash,
        number=number,
        block_hash=bytes(header.hash),
        block_time=int(header.timestamp),
        witnessed_at=witnessed_at,
        signer=key.public_key.to_canonical_address(),
        signature=key.sign_msg_hash(signed).to_bytes(),
    )


def check_signature(checkpoint: Checkpoint) -> None:
    """Raises BadCheckpoint unless `signer` signed it."""
    signed = digest(checkpoint.genesis_hash, checkpoint.number, checkpoint.block_hash, checkpoint.block_time, checkpoint.witnessed_at)
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
        header = history.header(checkpoint.number)
    except NotOnChain:
        return False
    own = bytes(header.hash)
    if own != checkpoint.block_hash:
        raise BadBlock(
            f"block {checkpoint.number}: two stories: it is 0x{own.hex()} here, "
            f"0x{checkpoint.signer.hex()} countersigned 0x{checkpoint.block_hash.hex()}"
        )
    if header.timestamp != checkpoint.block_time:
        raise BadCheckpoint(f"the checkpoint of block {checkpoint.number} names another time than the block's")
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
