"""What spending and expiring need to know of members' points; SQL stands behind it in rows.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from gateway.ledger.lots import Line
from gateway.points.holding import Holding
from gateway.values.ids import LotId, MemberId, ReservationId


@dataclass(frozen=True, slots=True)
class ExpiredPoints:
    """Unreserved points of a member in a lot that has expired."""

    member_id: MemberId
    line: Line


class HeldByMembers(Protocol):
    def holding(self, member_id: MemberId) -> Holding: ...
    def expired(self, day: int) -> Iterable[ExpiredPoints]: ...
    def pending_expiries(self) -> set[tuple[MemberId, LotId]]: ...


class Transfers(Protocol):
    def is_done(self, transfer_id: ReservationId) -> bool: ...
