"""Detached seals: the sealer's signature over a block's hash, kept beside the block rather than in it.

A sealer hands over in the open: the first block of the next one carries, behind its own seal, the next one's address and the signature of
the one before over it. So whoever has the seals knows who may seal from which block on.
"""

from dataclasses import dataclass, replace

from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature

PREFIX = b"Splittally block seal"
HANDOVER_PREFIX = b"Splittally sealer handover"
SEAL_BYTES = 65
ADDRESS_BYTES = 20
HANDOVER_BYTES = ADDRESS_BYTES + SEAL_BYTES
RECORD_BYTES = 8 + HANDOVER_BYTES


class NotSealed(Exception):
    """A seal that is none, or not by whose turn it is. The message says which."""


@dataclass(frozen=True)
class Handover:
    """From block `number` on `sealer` seals; `signature` is that of the one before over `handover_digest`."""

    number: int
    sealer: bytes
    signature: bytes


@dataclass(frozen=True)
class Sealers:
    """Who seals from which block on: the first by the genesis, then by handovers in the order of their blocks."""

    first: bytes
    handovers: tuple[Handover, ...] = ()

    @property
    def last(self) -> bytes:
        return self.handovers[-1].sealer if self.handovers else self.first

    def at(self, number: int) -> bytes:
        return next((each.sealer for each in reversed(self.handovers) if each.number <= number), self.first)

    def after(self, number: int, genesis_hash: bytes, block_hash: bytes, wire: bytes) -> "Sealers":
        """Once the block after all that is known here carries this seal. Raises NotSealed."""
        signature, rest = wire[:SEAL_BYTES], wire[SEAL_BYTES:]
        if not rest:
            if _signer(signature, seal_digest(genesis_hash, block_hash)) != self.last:
                raise NotSealed("the seal is not the sealer's")
            return self
        if len(rest) != HANDOVER_BYTES or number == 0:
            raise NotSealed("the seal is in no form that a seal has")
        handover = Handover(number, rest[:ADDRESS_BYTES], rest[ADDRESS_BYTES:])
        if _signer(handover.signature, handover_digest(genesis_hash, number, handover.sealer)) != self.last:
            raise NotSealed("the sealer before has not signed that it hands over")
        if handover.sealer == self.last or _signer(signature, seal_digest(genesis_hash, block_hash)) != handover.sealer:
            raise NotSealed("the seal is not that of the sealer who takes over")
        return replace(self, handovers=(*self.handovers, handover))


def seal_digest(genesis_hash: bytes, block_hash: bytes) -> bytes:
    return bytes(keccak(PREFIX + genesis_hash + block_hash))


def handover_digest(genesis_hash: bytes, number: int, sealer: bytes) -> bytes:
    return bytes(keccak(HANDOVER_PREFIX + genesis_hash + number.to_bytes(8, "big") + sealer))


def seal(key: PrivateKey, genesis_hash: bytes, block_hash: bytes) -> bytes:
    return bytes(key.sign_msg_hash(seal_digest(genesis_hash, block_hash)).to_bytes())


def sealed_by_the_next(key: PrivateKey, to: PrivateKey, number: int, genesis_hash: bytes, block_hash: bytes) -> bytes:
    """The seal of the first block of `to`, with the handover by `key`."""
    sealer = to.public_key.to_canonical_address()
    signature = key.sign_msg_hash(handover_digest(genesis_hash, number, sealer)).to_bytes()
    return seal(to, genesis_hash, block_hash) + sealer + bytes(signature)


def seal_holds(signature: bytes, sealer: bytes, genesis_hash: bytes, block_hash: bytes) -> bool:
    """Without looking at a handover behind it."""
    return len(signature) in (SEAL_BYTES, SEAL_BYTES + HANDOVER_BYTES) and (
        _signer(signature[:SEAL_BYTES], seal_digest(genesis_hash, block_hash)) == sealer
    )


def encode_handovers(handovers: tuple[Handover, ...]) -> bytes:
    return b"".join(each.number.to_bytes(8, "big") + each.sealer + each.signature for each in handovers)


def decode_handovers(row: bytes) -> tuple[Handover, ...]:
    """Raises ValueError for what is not whole."""
    if len(row) % RECORD_BYTES:
        raise ValueError(f"{len(row)} bytes are no list of handovers")
    records = (row[start : start + RECORD_BYTES] for start in range(0, len(row), RECORD_BYTES))
    return tuple(Handover(int.from_bytes(each[:8], "big"), each[8:28], each[28:]) for each in records)


def _signer(signature: bytes, digest: bytes) -> bytes | None:
    if len(signature) != SEAL_BYTES:
        return None
    try:
        return bytes(Signature(signature).recover_public_key_from_msg_hash(digest).to_canonical_address())
    except (BadSignature, ValueError):
        return None
