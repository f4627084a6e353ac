"""Who may seal which block: the sealer that the genesis names, then whoever it handed over to, block by block.

A seal is 65 bytes; in the first block of a new sealer its address and the signature of the one before follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from eth_hash.auto import keccak

from gateway.ledger.checkpoints import recover_detached
from gateway.values.ids import Address, Hash

SIGNATURE_BYTES = 65
_SEAL_PREFIX = b"Splittally block seal"
_HANDOVER_PREFIX = b"Splittally sealer handover"


class NotSealed(Exception):
    """A seal that is none, or not by whose turn it is; the message is the end of a sentence about the block."""


@dataclass(frozen=True, slots=True)
class Handover:
    """From block `number` on `sealer` seals, by the signature of the one before."""

    number: int
    sealer: Address
    signature: bytes


@dataclass(frozen=True, slots=True)
class Sealers:
    """Up to some block."""

    first: Address
    handovers: tuple[Handover, ...] = ()

    @property
    def last(self) -> Address:
        return self.handovers[-1].sealer if self.handovers else self.first

    def after(self, number: int, genesis_hash: Hash, block_hash: Hash, seal: bytes) -> Sealers:
        """Once the next block, of this number, carries this seal. Raises NotSealed."""
        signer = recover_detached(keccak(_SEAL_PREFIX + genesis_hash + block_hash), seal[:SIGNATURE_BYTES])
        rest = seal[SIGNATURE_BYTES:]
        if not rest:
            if signer != self.last:
                raise NotSealed("does not carry the seal of its sealer")
            return self
        if len(rest) != Address.SIZE + SIGNATURE_BYTES or number == 0:
            raise NotSealed("carries a seal of no known form")
        handover = Handover(number, Address(rest[: Address.SIZE]), rest[Address.SIZE :])
        if handover_signer(genesis_hash, handover) != self.last:
            raise NotSealed("is sealed by somebody to whom the sealer has not handed over")
        if signer != handover.sealer or handover.sealer == self.last:
            raise NotSealed("does not carry the seal of the sealer that takes over")
        return replace(self, handovers=(*self.handovers, handover))


def handover_signer(genesis_hash: Hash, handover: Handover) -> Address | None:
    digest = keccak(_HANDOVER_PREFIX + genesis_hash + handover.number.to_bytes(8) + handover.sealer)
    return recover_detached(digest, handover.signature)
