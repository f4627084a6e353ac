"""What spending and expiring need to know of members' points; SQL stands behind it in rows.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from gateway.ledger.lots import Line
from gateway.points.holding import Holding


@dataclass(frozen=True, slots=True)
class ExpiredPoints:
    """Unreserved points of a member in a lot that has expired."""

    member_id: str
    line: Line


class HeldByMembers(Protocol):
    def holding(self, member_id: str) -> Holding: ...
    def expired(self, local_day: int) -> Iterable[ExpiredPoints]: ...
    def pending_expiries(self) -> set[tuple[str, int]]: ...
