"""What a brand states to owe its holders at a block: points outstanding by lot, their sum, and the reserve that stands against them."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.anchors import Anchor, AnchorKind, brand_subject
from gateway.ledger.batches import entries_root
from gateway.values.ids import Hash

_MARK = b"Splittally liability"
NO_CURRENCY = bytes(3)


@dataclass(frozen=True, slots=True)
class Coverage:
    """`source` is the hash of the document from which the amount is, for example a bank's confirmation."""

    amount_minor: int
    currency: str
    source: Hash


@dataclass(frozen=True, slots=True)
class LiabilityStatement:
    """`lots` are (expiry day, points outstanding), rising, without those of which nothing is outstanding."""

    brand: int
    block_number: int
    block_hash: Hash
    lots: tuple[tuple[int, int], ...]
    coverage: Coverage | None = None

    @property
    def total(self) -> int:
        return sum(points for _, points in self.lots)

    @property
    def leaves(self) -> list[bytes]:
        """The head, then a leaf a lot; the root over them is formed as a batch's over its entries."""
        head = _MARK + self.brand.to_bytes(4) + self.block_number.to_bytes(8) + self.block_hash + self.total.to_bytes(32)
        return [head + _coverage_bytes(self.coverage), *(day.to_bytes(4) + points.to_bytes(32) for day, points in self.lots)]

    def anchor(self, number: int, previous: Hash) -> Anchor:
        """What the brand's owner signs: by the root, the whole statement."""
        leaves = self.leaves
        return Anchor(AnchorKind.LIABILITY, brand_subject(self.brand), number, previous, entries_root(leaves), len(leaves))


def _coverage_bytes(coverage: Coverage | None) -> bytes:
    if coverage is None:
        return bytes(16) + NO_CURRENCY + bytes(32)
    return coverage.amount_minor.to_bytes(16) + coverage.currency.encode() + coverage.source
