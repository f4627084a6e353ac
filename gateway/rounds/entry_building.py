"""Builds the ledger entry of an accepted operation, choosing its lots on the state as the round has left it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.ledger.decision import BASE_RULE
from gateway.ledger.effects import Effect
from gateway.ledger.entries import (
    Authorize,
    Capture,
    Clawback,
    ConsentProof,
    Entry,
    Expire,
    Extend,
    Issue,
    Opening,
    PointRefund,
    Redeem,
    Restore,
    Transfer,
    Void,
)
from gateway.ledger.issue_parts import AwardBasis, OpeningBasis, ShownIssue
from gateway.ledger.lot_choice import LotsFallShort, TooManyLots, choose_lots
from gateway.ledger.lots import MAX_POINTS, Line, is_expired, lot_id, lot_key_order, split_lot_id
from gateway.ledger.model import LedgerModel
from gateway.ledger.packed_fields import MAX_LINES
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.state import ReservationRecord
from gateway.rounds.lot_operation import ExtendOperation, OpeningOperation, RestoreOperation, TransferOperation
from gateway.rounds.operation import (
    AuthorizeOperation,
    CaptureOperation,
    ClawbackOperation,
    EntryOperation,
    ExpireOperation,
    IssueOperation,
    PointRefundOperation,
    RedeemOperation,
    RedemptionOperation,
    ReservationOperation,
    VoidOperation,
)
from gateway.values.ids import LotId, MemberId, OperationId, Reference, ReservationId
from gateway.values.points import Points

SHOWN_LENGTH_MAX = 60_000
"""Beside more refusals than this holds no entry has room for what proves its issue."""

IssuePlace = tuple[int, Reference]
"""(issuing brand, the issue's reference)"""


@dataclass(frozen=True, slots=True)
class IssuedEntry:
    """An issue that is on the ledger, found by its reference."""

    member: MemberId
    lot_id: LotId
    shown: ShownIssue


@dataclass(frozen=True, slots=True)
class RoundView:
    """What packing looks at beside the model's state.

    `timestamp` is the business time. `blocked_members` are touched by open batches or wait for their enrolment;
    `waiting_brands` wait for their registration; the other waiting ones are not on the ledger yet.
    `clawed_back` has the lots that clawbacks on the ledger took from.
    """

    timestamp: int
    issued: dict[IssuePlace, IssuedEntry] = field(default_factory=dict)
    waiting_issues: frozenset[IssuePlace] = frozenset()
    clawed_back: dict[IssuePlace, list[Line]] = field(default_factory=dict)
    waiting_clawbacks: frozenset[IssuePlace] = frozenset()
    waiting_reservations: frozenset[ReservationId] = frozenset()
    blocked_members: frozenset[MemberId] = frozenset()
    waiting_brands: frozenset[int] = frozenset()


class MustWait(Exception):
    """The operation's turn has not come: another one has to be on the ledger first."""


class CannotBe(Exception):
    """The operation cannot become an entry; `reason` is the contract's error name or one of the gateway's own."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EntryBuilder:
    """`points_short` collects, by operation id, what could not be clawed back."""

    def __init__(self, model: LedgerModel, view: RoundView) -> None:
        self.points_short: dict[OperationId, Points] = {}
        self._model = model
        self._view = view
        self._lots: dict[MemberId, set[LotId]] = {}
        for member, lot in model.state.held:
            self._lots.setdefault(member, set()).add(lot)

    def note(self, effect: Effect) -> None:
        """An entry of this round took effect."""
        for movement in effect.movements:
            self._lots.setdefault(movement.member, set()).add(movement.lot_id)

    def entry(self, operation: EntryOperation) -> Entry:
        """The entry. Raises MustWait or CannotBe."""
        match operation:
            case IssueOperation():
                basis = AwardBasis(operation.rule_version, BASE_RULE, operation.award.number, operation.decision.hash)
                return Issue(operation.member_id, operation.expiry_day, operation.points, basis, operation.reference)
            case ClawbackOperation():
                return self._clawback(operation)
            case AuthorizeOperation() | RedeemOperation():
                return self._redemption(operation)
            case CaptureOperation():
                return self._capture(operation)
            case VoidOperation():
                return self._void(operation)
            case PointRefundOperation():
                return self._point_refund(operation)
            case ExpireOperation():
                return self._expire(operation)
            case OpeningOperation():
                opening = OpeningBasis(operation.ratio_points, operation.ratio_units, operation.source)
                return Opening(operation.member_id, operation.expiry_day, operation.points, opening, operation.reference)
            case RestoreOperation():
                return self._restore(operation)
            case ExtendOperation():
                return self._extend(operation)
            case TransferOperation():
                sides = operation.member_id, operation.taker_id, operation.nonce, operation.deadline
                return Transfer(*sides, operation.giver_proof, operation.taker_proof, operation.lines)

    def _clawback(self, operation: ClawbackOperation) -> Clawback:
        place = operation.brand_id, operation.issue_reference
        issued = self._view.issued.get(place)
        if issued is None:
            if place in self._view.waiting_issues:
                raise MustWait
            self.points_short[operation.operation_id] = operation.points_due
            raise CannotBe("nothing_left_to_claw_back")
        if len(issued.shown.packed()) > SHOWN_LENGTH_MAX:
            self.points_short[operation.operation_id] = operation.points_due
            raise CannotBe("issue_cannot_be_shown")
        lines = self._clawback_lines(operation, issued.lot_id)
        self.points_short[operation.operation_id] = Points(operation.points_due - sum(line.points for line in lines))
        if not lines:
            raise CannotBe("nothing_left_to_claw_back")
        return Clawback(operation.member_id, operation.reference, issued.shown, tuple(lines))

    def _clawback_lines(self, operation: ClawbackOperation, issue_lot: LotId) -> list[Line]:
        """The issue's own lot first, even an expired one; then the brand's other lots by nearest expiry, expired ones left alone. Where
        that needs more lots than an entry has lines for, only the largest are looked at, as for a redemption."""
        brand_id = operation.brand_id
        available = self._available(operation.member_id)
        others = [lot for lot in available if lot >> 32 == brand_id and lot != issue_lot and not self._is_expired(split_lot_id(lot)[1])]
        order = ([issue_lot] if issue_lot in available else []) + sorted(others, key=lot_key_order(brand_id))
        lines = _take(operation.points_due, ((lot, available[lot]) for lot in order))
        if len(lines) <= MAX_LINES:
            return lines
        largest = set(sorted(order, key=lambda lot: -available[lot])[:MAX_LINES])
        return _take(operation.points_due, ((lot, available[lot]) for lot in order if lot in largest))

    def _restore(self, operation: RestoreOperation) -> Restore:
        """Into the lot that ends last of those it was taken from; the ledger has a grace lot where that has expired meanwhile."""
        places = [(operation.brand_id, reference) for reference in operation.clawbacks]
        if self._view.waiting_clawbacks.intersection(places):
            raise MustWait
        taken = [line for place in places for line in self._view.clawed_back.get(place, ())]
        issued = self._view.issued.get((operation.brand_id, operation.issue_reference))
        if not taken or issued is None:
            raise CannotBe("nothing_to_restore")
        number, index = issued.shown.number, issued.shown.index
        clawed = self._model.state.clawed.get((operation.brand_id, number, index))
        if clawed is None:
            raise CannotBe("nothing_to_restore")
        points = to_restore(operation, Points(sum(line.points for line in taken)), Points(clawed.points))
        line = Line(operation.brand_id, clawed.latest_day, points)
        return Restore(operation.member_id, operation.reference, number, index, (line,))

    def _extend(self, operation: ExtendOperation) -> Extend:
        points = self._model.state.unreserved(operation.member_id, lot_id(operation.brand_id, operation.from_day))
        if points <= 0 or self._is_expired(operation.from_day):
            raise CannotBe("nothing_to_extend")
        moved = Points(min(points, MAX_POINTS))
        return Extend(operation.member_id, operation.from_day, operation.to_day, moved, operation.reference)

    def _redemption(self, operation: RedemptionOperation) -> Authorize | Redeem:
        now, offset = self._view.timestamp, self._model.utc_offset_seconds
        if not self._model.accepts(operation.brand_id, now):
            raise CannotBe(RefusalReason.BRAND_NOT_ACCEPTING)
        available = self._available(operation.member_id)
        accepted = {lot: points for lot, points in available.items() if self._model.accepts(split_lot_id(lot)[0], now)}
        room = self._model.state.room(operation.brand_id)
        try:
            lines = choose_lots(accepted, operation.points, operation.brand_id, now, offset, room)
        except LotsFallShort as missing:
            is_there = sum(points for lot, points in accepted.items() if not self._is_expired(split_lot_id(lot)[1])) >= operation.points
            raise CannotBe(RefusalReason.EXPOSURE_EXCEEDED if is_there else RefusalReason.NOT_ENOUGH_POINTS) from missing
        except TooManyLots as missing:
            raise CannotBe("too_many_lots") from missing
        shape = Authorize if isinstance(operation, AuthorizeOperation) else Redeem
        proof = ConsentProof(operation.proof_kind, operation.proof)
        terms = operation.order_hash, operation.nonce, operation.deadline, operation.points, operation.discount_minor
        return shape(operation.member_id, operation.reference, *terms, proof, tuple(lines))

    def _capture(self, operation: CaptureOperation) -> Capture:
        reservation = self._reservation(operation)
        missing: int = operation.points
        lines: list[Line] = []
        for lot in sorted(reservation.lots, key=lot_key_order(reservation.brand_id)):
            taken = min(missing, reservation.lots[lot].authorized)
            lines.append(Line(*split_lot_id(lot), Points(taken)))
            missing -= taken
        if missing:
            raise CannotBe(RefusalReason.TOO_MANY_POINTS)
        return Capture(operation.reservation_id, operation.reference, reservation.discount_of(operation.points), tuple(lines))

    def _void(self, operation: VoidOperation) -> Void:
        reservation = self._reservation(operation)
        lots = sorted(reservation.lots, key=lot_key_order(reservation.brand_id))
        lines = tuple(Line(*split_lot_id(lot), Points(reservation.lots[lot].authorized)) for lot in lots)
        return Void(operation.reservation_id, operation.reference, lines)

    def _point_refund(self, operation: PointRefundOperation) -> PointRefund:
        """Gives back from the captured lots, the one captured last first."""
        reservation = self._reservation(operation)
        backwards = sorted(reservation.lots, key=lot_key_order(reservation.brand_id), reverse=True)
        left = ((lot, reservation.lots[lot].captured - reservation.lots[lot].refunded) for lot in backwards)
        lines = _take(operation.points, left)
        if sum(line.points for line in lines) < operation.points:
            raise CannotBe(RefusalReason.TOO_MANY_POINTS)
        return PointRefund(operation.reservation_id, operation.reference, reservation.refund_discount_of(lines), tuple(lines))

    def _expire(self, operation: ExpireOperation) -> Expire:
        points = self._model.state.unreserved(operation.member_id, lot_id(operation.brand_id, operation.expiry_day))
        if points <= 0:
            raise CannotBe("nothing_to_expire")
        return Expire(operation.member_id, operation.expiry_day, Points(points))

    def _reservation(self, operation: ReservationOperation) -> ReservationRecord:
        reservation = self._model.state.reservations.get(operation.reservation_id)
        assert reservation is not None, "packing has looked the reservation up"
        return reservation

    def _available(self, member: MemberId) -> dict[LotId, int]:
        unreserved = self._model.state.unreserved
        return {lot: points for lot in self._lots.get(member, ()) if (points := unreserved(member, lot)) > 0}

    def _is_expired(self, expiry_day: int) -> bool:
        return is_expired(expiry_day, self._view.timestamp, self._model.utc_offset_seconds)


def to_restore(operation: RestoreOperation, taken: Points, in_all: Points) -> Points:
    """What the refund's own clawbacks took goes back, or what all took beyond what is due for the refunds that are left: the signer's
    bound. `in_all`: clawed back of the award and not restored."""
    if operation.others_due is None:
        most = operation.points_due - operation.clawed_back_due + taken
    else:
        most = max(taken, in_all - operation.others_due)
    if min(most, in_all) <= 0:
        raise CannotBe("nothing_to_restore")
    return Points(min(most, in_all))


def _take(points: int, from_lots: Iterable[tuple[LotId, int]]) -> list[Line]:
    """Lines that take up to `points`, lot by lot."""
    lines: list[Line] = []
    for lot, there in from_lots:
        taken = min(points, there)
        if taken > 0:
            lines.append(Line(*split_lot_id(lot), Points(taken)))
            points -= taken
    return lines
