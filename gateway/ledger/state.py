"""The points ledger's state as the contract holds it, in dictionaries: the same figures under the same names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from gateway.ledger.brand_states import BrandState
from gateway.ledger.discounts import discount_share, refund_discount
from gateway.ledger.effects import Movement, OwedChange
from gateway.ledger.lots import Line
from gateway.ledger.member_acts import DelayedAct
from gateway.ledger.terms import TermsVersions
from gateway.values.ids import Hash, LotId, MemberId, ReservationId


class ReservationState(IntEnum):
    OPEN = 1
    CAPTURED = 2
    VOIDED = 3
    TRANSFERRED = 4  # no reservation: a transfer's digest


@dataclass(slots=True)
class BrandRecord:
    status: BrandState
    limit: int  # on outstanding points; only issues are held to it
    outstanding: int = 0
    last_day: int = 0  # of a run-off
    terms: TermsVersions = field(default_factory=TermsVersions)
    exposure_limits: dict[int, int] = field(default_factory=dict)  # by issuer, the most of its points that the brand lets itself be owed

    def state_on(self, local_day: int) -> BrandState:
        """A run-off past its last day is closed."""
        is_over = self.status is BrandState.RUNNING_OFF and local_day > self.last_day
        return BrandState.CLOSED if is_over else self.status


@dataclass(slots=True)
class ReservedLot:
    authorized: int
    captured: int = 0
    refunded: int = 0
    discount: int = 0  # for what is authorized, from the capture on for what was captured
    terms: int = 0  # of the issuer, at the authorization; 0 for the accepting brand's own points


@dataclass(slots=True)
class ReservationRecord:
    member: MemberId
    brand_id: int
    deadline: int
    state: ReservationState
    lots: dict[LotId, ReservedLot]

    def discount_of(self, points: int) -> int:
        """The discount that belongs to a capture of so many of the points."""
        lots = self.lots.values()
        return discount_share(sum(lot.discount for lot in lots), points, sum(lot.authorized for lot in lots))

    def refund_discount_of(self, lines: Iterable[Line]) -> int:
        """The discount that belongs to giving these points of captured lots back."""
        lots = ((line, self.lots[line.lot_id]) for line in lines)
        return sum(refund_discount(lot.discount, lot.captured, lot.refunded, line.points) for line, lot in lots)


@dataclass(slots=True)
class ClawedIssue:
    """What is clawed back of an issue or opening and not restored; `latest_day` is the latest expiry of the lots it was taken from."""

    member: MemberId
    points: int
    latest_day: int


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
    moved: int = 0  # from other lots of the issuer, less what went to them

    @property
    def outstanding(self) -> int:
        came = self.issued + self.opened + self.refunded + self.restored + self.moved
        return came - self.redeemed - self.clawed_back - self.expired


@dataclass(slots=True)
class GrantRecord:
    """Limits, and what was spent of them: `spent_on_day` on `spent_day`."""

    per_purchase: int
    per_day: int
    in_all: int
    until: int
    spent_in_all: int = 0
    spent_on_day: int = 0
    spent_day: int = 0


@dataclass(slots=True)
class PendingMemberAct:
    act: DelayedAct
    ready_at: int
    turn: int
    is_over: bool = False  # carried out or vetoed


@dataclass(slots=True)
class MemberRecord:
    """`turn` counts spend locks, guardians and recoveries; what was pending before the last of them has fallen."""

    authorizers: dict[Hash, int] = field(default_factory=dict)  # authorizer id → kind
    acts: int = 0
    turn: int = 0
    epoch: int = 0  # counts recoveries
    is_locked: bool = False
    guardian: Hash | None = None
    grants: dict[Hash, GrantRecord] = field(default_factory=dict)  # by whom they were given to
    pending: dict[Hash, PendingMemberAct] = field(default_factory=dict)  # by the act's digest


@dataclass(slots=True)
class LedgerState:
    """Balances by (member, lot id): `held` includes `reserved`. `owed` by (issuer, acceptor, the issuer's terms)."""

    held: dict[tuple[MemberId, LotId], int] = field(default_factory=lambda: defaultdict(int))
    reserved: dict[tuple[MemberId, LotId], int] = field(default_factory=lambda: defaultdict(int))
    lots: dict[LotId, LotTotals] = field(default_factory=lambda: defaultdict(LotTotals))
    owed: dict[tuple[int, int, int], int] = field(default_factory=lambda: defaultdict(int))
    settled: dict[tuple[int, int, int], int] = field(default_factory=lambda: defaultdict(int))  # of what is owed, in its sign
    exposure: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))  # (issuer, acceptor)
    reservations: dict[ReservationId, ReservationRecord] = field(default_factory=dict)
    brands: dict[int, BrandRecord] = field(default_factory=dict)
    members: dict[MemberId, MemberRecord] = field(default_factory=dict)
    batches: dict[tuple[int, int], bytes] = field(default_factory=dict)  # (brand, number) → outcome word
    records: dict[tuple[int, int], Hash] = field(default_factory=dict)  # (brand, number) → record
    clawed: dict[tuple[int, int, int], ClawedIssue] = field(default_factory=dict)  # (brand, number, index)

    def unreserved(self, member: MemberId, lot: LotId) -> int:
        key = (member, lot)
        return self.held.get(key, 0) - self.reserved.get(key, 0)

    def room(self, acceptor: int) -> dict[int, int]:
        """By issuer, what the accepting brand still lets itself be owed; below zero where it was lowered."""
        return {issuer: most - self.exposure.get((issuer, acceptor), 0) for issuer, most in self.brands[acceptor].exposure_limits.items()}

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
        self.owed[change.issuer, change.acceptor, change.terms] += change.points

    def settle(self, key: tuple[int, int, int], points: int, netted: int) -> None:
        """A pair of an agreed cycle was applied; `netted` is discharged at once, and without a sign."""
        self.settled[key] += points
        self.exposure[key[:2]] -= -netted if points < 0 else netted
