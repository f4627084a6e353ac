"""What stands anchored, as the ledger's contract answers."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.chain.artifacts import anchors
from gateway.chain.connection import Chain
from gateway.values.ids import Address, Hash


@dataclass(frozen=True, slots=True)
class AnchoredRoot:
    """`count` is of the leaves under the root; `anchored_at` is a block's time."""

    root: Hash
    count: int
    anchored_at: int


@dataclass(frozen=True, slots=True)
class AnchorSequence:
    """The roots of one signer, kind and subject, append-only. `address` is the contract's."""

    chain: Chain
    address: Address
    signer: Address
    kind: int
    subject: Hash

    def length(self) -> int:
        call = anchors().call("anchorCount", self.signer, self.kind, self.subject)
        return int(anchors().returned("anchorCount", self.chain.eth_call(self.address, call))[0])

    def at(self, number: int) -> AnchoredRoot:
        """One below the length."""
        call = anchors().call("anchorOf", self.signer, self.kind, self.subject, number)
        ((root, count, anchored_at),) = anchors().returned("anchorOf", self.chain.eth_call(self.address, call))
        return AnchoredRoot(Hash(root), int(count), int(anchored_at))
