"""The points ledger's state as the contract holds it, in dictionaries: the same figures under the same names."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import IntEnum

from gateway.ledger.brand_states import BrandState
from gateway.ledger.effects import Movement, OwedChange
from gateway.values.ids import Hash, LotId, MemberId, ReservationId


class ReservationState(IntEnum):
    OPEN = 1
    CAPTURED = 2
    VOIDED = 3


@dataclass(slots=True)
class BrandRecord:
    status: BrandState
    limit: int  # on outstanding points; only issues are held to it
    outstanding: int = 0
    last_day: int = 0  # of a run-off

    def state_on(self, local_day: int) -> BrandState:
        """A run-off past its last day is closed."""
        is_over = self.status is BrandState.RUNNING_OFF and local_day > self.last_day
        return BrandState.CLOSED if is_over else self.status


@dataclass(slots=True)
class ReservedLot:
    authorized: int
    captured: int = 0
    refunded: int = 0


@dataclass(slots=True)
class ReservationRecord:
    member: MemberId
    brand_id: int
    deadline: int
    state: ReservationState
    lots: dict[LotId, ReservedLot]


@dataclass(slots=True)
class ClawedIssue:
    """What is clawed back of an issue or opening and not restored."""

    member: MemberId
    points: int


@dataclass(slots=True)
class LotTotals:
    """What ever happened to the points of one lot; a point refund and a restore count in the lot they went to."""

    issued: int = 0
    opened: int = 0
    redeemed: int = 0
    clawed_back: int = 0
    expired: int = 0
    refunded: int = 0
    restored: int = 0
    extended: int = 0  # into the lot; negative for what left it

    @property
    def outstanding(self) -> int:
        came = self.issued + self.opened + self.refunded + self.restored + self.extended
        return came - self.redeemed - self.clawed_back - self.expired


@dataclass(slots=True)
class MemberRecord:
    authorizers: dict[Hash, int] = field(default_factory=dict)  # authorizer id → kind
    changes: int = 0


@dataclass(slots=True)
class LedgerState:
    """Balances by (member, lot id): `held` includes `reserved`. `owed` by (issuer, acceptor)."""

    held: dict[tuple[MemberId, LotId], int] = field(default_factory=lambda: defaultdict(int))
    reserved: dict[tuple[MemberId, LotId], int] = field(default_factory=lambda: defaultdict(int))
    lots: dict[LotId, LotTotals] = field(default_factory=lambda: defaultdict(LotTotals))
    owed: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    reservations: dict[ReservationId, ReservationRecord] = field(default_factory=dict)
    brands: dict[int, BrandRecord] = field(default_factory=dict)
    members: dict[MemberId, MemberRecord] = field(default_factory=dict)
    batches: dict[tuple[int, int], bytes] = field(default_factory=dict)  # (brand, number) → outcome word
    records: dict[tuple[int, int], Hash] = field(default_factory=dict)  # (brand, number) → record
    clawed: dict[tuple[int, int, int], ClawedIssue] = field(default_factory=dict)  # (brand, number, index)

    def unreserved(self, member: MemberId, lot: LotId) -> int:
        key = (member, lot)
        return self.held.get(key, 0) - self.reserved.get(key, 0)

    def available(self, member: MemberId) -> dict[LotId, int]:
        """{lot id: unreserved points} of a member, as `choose_lots` takes it. Walks every balance: for tests and audits."""
        lots = (lot for holder, lot in list(self.held) if holder == member)
        return {lot: points for lot in lots if (points := self.unreserved(member, lot)) > 0}

    def move(self, movement: Movement) -> None:
        key = (movement.member, movement.lot_id)
        if movement.held_delta:
            self.held[key] += movement.held_delta
            self.brands[movement.lot_id >> 32].outstanding += movement.held_delta
        if movement.reserved_delta:
            self.reserved[key] += movement.reserved_delta
        assert 0 <= self.reserved.get(key, 0) <= self.held[key], "reserved points exceed those held"

    def owe(self, change: OwedChange) -> None:
        self.owed[change.issuer, change.acceptor] += change.points
