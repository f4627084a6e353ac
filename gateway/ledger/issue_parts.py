"""Parts of issuing entries that have a form of their own: what an issue or opening rests on, and how a clawback shows one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from gateway.ledger.packed_fields import PackedReader, pack_fixed, pack_uint
from gateway.values.ids import Hash


@dataclass(frozen=True, slots=True)
class AwardBasis:
    """Rule and award by their numbers in a version of the brand's published programme, and the salted hash of the stored decision."""

    programme: int
    rule: int
    award: int
    decision: Hash

    def packed(self) -> bytes:
        return pack_uint(self.programme, 4) + pack_uint(self.rule, 2) + pack_uint(self.award, 2) + pack_fixed(self.decision, 32)

    @classmethod
    def read(cls, reader: PackedReader) -> Self:
        return cls(reader.uint(4), reader.uint(2), reader.uint(2), reader.word())


@dataclass(frozen=True, slots=True)
class OpeningBasis:
    """So many points for so many units of an earlier programme, and the hash of the record that was taken over."""

    ratio_points: int
    ratio_units: int
    source: Hash

    def packed(self) -> bytes:
        return pack_uint(self.ratio_points, 4) + pack_uint(self.ratio_units, 4) + pack_fixed(self.source, 32)

    @classmethod
    def read(cls, reader: PackedReader) -> Self:
        return cls(reader.uint(4), reader.uint(4), reader.word())


@dataclass(frozen=True, slots=True)
class ShownIssue:
    """Entry `index` of a batch, with the way to that batch's root and all its refusals as (index, selector of the reason)."""

    number: int
    index: int
    entry_count: int
    refusals: tuple[tuple[int, bytes], ...]
    branch: tuple[bytes, ...]
    entry: bytes

    def packed(self) -> bytes:
        place = pack_uint(self.number, 8) + pack_uint(self.index, 4) + pack_uint(self.entry_count, 4)
        refusals = b"".join(pack_uint(index, 4) + pack_fixed(reason, 4) for index, reason in self.refusals)
        branch = b"".join(pack_fixed(node, 32) for node in self.branch)
        counted = pack_uint(len(self.refusals), 4) + refusals + pack_uint(len(self.branch), 2) + branch
        return place + counted + pack_uint(len(self.entry), 2) + self.entry

    @classmethod
    def read(cls, reader: PackedReader) -> Self:
        number, index, entry_count = reader.uint(8), reader.uint(4), reader.uint(4)
        refusals = reader.take(8 * reader.uint(4))
        branch = reader.take(32 * reader.uint(2))
        return cls(
            number,
            index,
            entry_count,
            tuple((int.from_bytes(refusals[start : start + 4]), refusals[start + 4 : start + 8]) for start in range(0, len(refusals), 8)),
            tuple(branch[start : start + 32] for start in range(0, len(branch), 32)),
            reader.take(reader.uint(2)),
        )
