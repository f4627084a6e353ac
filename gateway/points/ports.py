"""What spending and expiring need to know of members' points; SQL stands behind it in rows.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
class ExpiryRun:
    """A brand's run of a local day, and how far it has come: through `lots` lots, the last of them up to the member of `upto`."""

    brand_id: int
    day: int
    started_at: int
    lots: int = 0
    upto: tuple[LotId, MemberId] | None = None


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

    def expired(self, run: ExpiryRun, most: int) -> Sequence[ExpiredPoints]:
        """The next ones after those that the run has come to, by lot and member."""

    def lots_of(self, member_id: MemberId, brand_id: int) -> list[tuple[int, int]]:
        """(expiry day, unreserved points) of her lots of one brand that hold any."""


class ExpiryRuns(Protocol):
    def end_before(self, day: int, at: int) -> None:
        """What runs of earlier days have not come to is left to those of this day."""

    def to_go_on(self, day: int, at: int) -> Sequence[ExpiryRun]:
        """Those of the day that have not come through, begun or not, and wait for nothing that they have accepted."""

    def keep(self, run: ExpiryRun, accepted_at: int | None) -> None:
        """How far it has come; with a moment: through."""


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
