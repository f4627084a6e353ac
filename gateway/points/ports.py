"""What spending and expiring need to know of members' points; SQL stands behind it in rows.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.ledger.lot_references import Activity
from gateway.ledger.lots import Line
from gateway.points.holding import Holding
from gateway.points.opening import OpeningLine, StoredOpeningFile
from gateway.values.ids import Hash, LotId, MemberId, OperationId, Reference, ReservationId


@dataclass(frozen=True, slots=True)
class ExpiredPoints:
    """Unreserved points of a member in a lot that has expired."""

    member_id: MemberId
    line: Line


@dataclass(frozen=True, slots=True)
class SeenActivity:
    """An entry of the ledger by which a member was active at a brand, `at` its block's time (Unix seconds)."""

    brand_id: int
    member_id: MemberId
    activity: Activity
    at: int


class HeldByMembers(Protocol):
    def holding(self, member_id: MemberId) -> Holding: ...
    def holding_at(self, brand_id: int, member_id: MemberId) -> Holding:
        """With what the brand still lets itself be owed."""

    def expired(self, day: int) -> Iterable[ExpiredPoints]: ...
    def pending_expiries(self) -> set[tuple[MemberId, LotId]]: ...
    def lots_of(self, member_id: MemberId, brand_id: int) -> list[tuple[int, int]]:
        """(expiry day, unreserved points) of her lots of one brand that hold any."""


class Openings(Protocol):
    def of_content(self, brand_id: int, source: Hash) -> StoredOpeningFile | None: ...
    def places(self, brand_id: int, references: Sequence[Reference]) -> Mapping[Reference, str]:
        """In which file and line these balances came before."""

    def add(self, file: StoredOpeningFile, lines: Sequence[OpeningLine]) -> None: ...
    def set_operations(self, opening_file_id: str, operations: Mapping[int, OperationId]) -> None:
        """By line number."""

    def refused_by_ledger(self, opening_file_id: str) -> list[OpeningLine]:
        """Lines whose operation has ended refused."""


class Transfers(Protocol):
    def is_done(self, transfer_id: ReservationId) -> bool: ...
