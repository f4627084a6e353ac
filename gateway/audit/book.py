"""A book: every entry in order and the figures that came of them. There are two of them to compare: the ledger's and the projection's.

The ledger's book is a replay by the rules of docs/ledger-format.md; the projection's is read from its rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge

from gateway.audit.evidence import HeldPoints
from gateway.ledger.state import LotTotals
from gateway.values.ids import LotId, MemberId, Reference, ReservationId


@dataclass(frozen=True, slots=True)
class BookMovement:
    member: MemberId
    lot_id: LotId
    held_delta: int
    reserved_delta: int


@dataclass(frozen=True, slots=True)
class BookEntry:
    """An entry, refused ones included."""

    position: int
    brand_id: int
    batch_number: int
    entry_index: int
    kind: str
    member: MemberId | None
    points: int
    reference: Reference | None
    issue_reference: Reference | None
    reservation_id: ReservationId | None
    rule_version: int | None
    entry: bytes
    refused: str | None
    timestamp: int
    movements: tuple[BookMovement, ...]
    taker: MemberId | None = None

    @property
    def place(self) -> str:
        return f"{self.kind} at brand {self.brand_id}, batch {self.batch_number}, entry {self.entry_index}"


@dataclass(frozen=True, slots=True)
class BookRelease:
    """A reservation set free after its deadline, by whoever did it, without an entry."""

    position: int
    movements: tuple[BookMovement, ...]

    @property
    def place(self) -> str:
        return f"the release at position {self.position}"


@dataclass(frozen=True, slots=True)
class BookReservation:
    """A reservation or one-step redemption; `lots` by lot id as (reserved, captured, refunded, discount, terms of the issuer)."""

    member: MemberId
    brand_id: int
    deadline: int
    status: str
    lots: Mapping[LotId, tuple[int, int, int, int, int]]


@dataclass(frozen=True)
class Book:
    """`holdings` by (member, lot), `owed` by (issuer, accepting brand, the issuer's terms)."""

    name: str
    entries: Sequence[BookEntry]
    holdings: Mapping[tuple[MemberId, LotId], HeldPoints]
    lots: Mapping[LotId, LotTotals]
    owed: Mapping[tuple[int, int, int], int]
    outstanding: Mapping[int, int]
    reservations: Mapping[ReservationId, BookReservation]
    releases: Sequence[BookRelease] = ()

    @property
    def steps(self) -> Iterator[BookEntry | BookRelease]:
        """Accepted entries and releases, in order."""
        return merge(self.accepted, self.releases, key=lambda step: step.position)

    @property
    def accepted(self) -> Iterator[BookEntry]:
        return (entry for entry in self.entries if entry.refused is None)

    def held_by_lot(self) -> dict[LotId, int]:
        sums: dict[LotId, int] = defaultdict(int)
        for (_, lot), holding in self.holdings.items():
            sums[lot] += holding.held
        return sums
