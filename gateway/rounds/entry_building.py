"""Builds the ledger entry of an accepted operation, choosing its lots on the state as the round has left it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gateway.ledger.effects import Effect
from gateway.ledger.entries import MAX_LINES, Authorize, Capture, Clawback, ConsentProof, Entry, Expire, Issue, PointRefund, Redeem, Void
from gateway.ledger.lots import Line, LotsFallShort, choose_lots, is_expired, lot_id, lot_key_order, split_lot_id
from gateway.ledger.model import LedgerModel
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.state import ReservationRecord


@dataclass(frozen=True, slots=True)
class AcceptedOperation:
    """An operation that waits to be packed; `body` is what the API stored with it."""

    operation_id: str
    sequence: int
    kind: str
    brand_id: int
    member: bytes | None
    points: int
    reference: bytes | None
    reservation_id: bytes | None
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class IssuedEntry:
    """An issue that is on the ledger, found by its reference."""

    member: bytes
    lot_id: int


@dataclass(frozen=True, slots=True)
class RoundView:
    """What packing looks at beside the model's state.

    `timestamp` is the business time. `blocked_members` are touched by open batches or wait for their enrolment;
    `waiting_brands` wait for their registration; `waiting_issues` (references) and `waiting_reservations` are not on the ledger yet.
    """

    timestamp: int
    issued: dict[tuple[int, bytes], IssuedEntry] = field(default_factory=dict)
    waiting_issues: frozenset[tuple[int, bytes]] = frozenset()
    waiting_reservations: frozenset[bytes] = frozenset()
    blocked_members: frozenset[bytes] = frozenset()
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
        self.points_short: dict[str, int] = {}
        self._model = model
        self._view = view
        self._lots: dict[bytes, set[int]] = {}
        for member, lot in model.state.held:
            self._lots.setdefault(member, set()).add(lot)

    def note(self, effect: Effect) -> None:
        """An entry of this round took effect."""
        for movement in effect.movements:
            self._lots.setdefault(movement.member, set()).add(movement.lot_id)

    def entry(self, operation: AcceptedOperation, member: bytes) -> Entry:
        """The entry. Raises MustWait or CannotBe."""
        match operation.kind:
            case "issue":
                return self._issue(operation, member)
            case "clawback":
                return self._clawback(operation, member)
            case "authorize" | "redeem":
                return self._authorize(operation, member)
            case "capture":
                return self._capture(operation)
            case "void":
                return Void(*self._reserved(operation), self._void_lines(operation))
            case "point_refund":
                return self._point_refund(operation)
            case "expire":
                return self._expire(operation, member)
            case _:
                raise ValueError(f"operation {operation.operation_id}: no entry for kind {operation.kind!r}")

    def _issue(self, operation: AcceptedOperation, member: bytes) -> Issue:
        assert operation.reference is not None
        body = operation.body
        return Issue(member, body["expiry_day"], operation.points, body["rule_version"], operation.reference)

    def _clawback(self, operation: AcceptedOperation, member: bytes) -> Clawback:
        assert operation.reference is not None
        issue_reference = bytes.fromhex(operation.body["issue_reference"][2:])
        due = operation.body["points_due"]
        issued = self._view.issued.get((operation.brand_id, issue_reference))
        if issued is None:
            if (operation.brand_id, issue_reference) in self._view.waiting_issues:
                raise MustWait
            self.points_short[operation.operation_id] = due
            raise CannotBe("nothing_left_to_claw_back")
        lines = self._clawback_lines(operation.brand_id, member, issued.lot_id, due)
        self.points_short[operation.operation_id] = due - sum(line.points for line in lines)
        if not lines:
            raise CannotBe("nothing_left_to_claw_back")
        return Clawback(member, operation.reference, issue_reference, tuple(lines))

    def _clawback_lines(self, brand_id: int, member: bytes, issue_lot: int, due: int) -> list[Line]:
        """The issue's own lot first, even an expired one; then the brand's other lots by nearest expiry, expired ones left alone."""
        available = self._available(member)
        others = [lot for lot in available if lot >> 32 == brand_id and lot != issue_lot and not self._is_expired(split_lot_id(lot)[1])]
        order = ([issue_lot] if issue_lot in available else []) + sorted(others, key=lot_key_order(brand_id))
        return _take(due, ((lot, available[lot]) for lot in order[:MAX_LINES]))

    def _authorize(self, operation: AcceptedOperation, member: bytes) -> Authorize | Redeem:
        assert operation.reference is not None
        body = operation.body
        offset = self._model.utc_offset_seconds
        try:
            lines = choose_lots(self._available(member), operation.points, operation.brand_id, self._view.timestamp, offset)
        except LotsFallShort as missing:
            raise CannotBe(RefusalReason.NOT_ENOUGH_POINTS) from missing
        if len(lines) > MAX_LINES:
            raise CannotBe("too_many_lots")
        proof = ConsentProof(body["proof_kind"], bytes.fromhex(body["proof"][2:]))
        shape = Authorize if operation.kind == "authorize" else Redeem
        return shape(member, operation.reference, body["nonce"], body["deadline"], operation.points, proof, tuple(lines))

    def _capture(self, operation: AcceptedOperation) -> Capture:
        reservation = self._open_reservation(operation)
        missing = operation.points
        lines: list[Line] = []
        for lot in sorted(reservation.lots, key=lot_key_order(reservation.brand_id)):
            taken = min(missing, reservation.lots[lot].authorized)
            lines.append(Line(*split_lot_id(lot), taken))
            missing -= taken
        if missing:
            raise CannotBe(RefusalReason.TOO_MANY_POINTS)
        return Capture(*self._reserved(operation), tuple(lines))

    def _void_lines(self, operation: AcceptedOperation) -> tuple[Line, ...]:
        reservation = self._open_reservation(operation)
        lots = sorted(reservation.lots, key=lot_key_order(reservation.brand_id))
        return tuple(Line(*split_lot_id(lot), reservation.lots[lot].authorized) for lot in lots)

    def _point_refund(self, operation: AcceptedOperation) -> PointRefund:
        """Gives back from the captured lots, the one captured last first."""
        reservation = self._open_reservation(operation)
        backwards = sorted(reservation.lots, key=lot_key_order(reservation.brand_id), reverse=True)
        left = ((lot, reservation.lots[lot].captured - reservation.lots[lot].refunded) for lot in backwards)
        lines = _take(operation.points, left)
        if sum(line.points for line in lines) < operation.points:
            raise CannotBe(RefusalReason.TOO_MANY_POINTS)
        return PointRefund(*self._reserved(operation), tuple(lines))

    def _expire(self, operation: AcceptedOperation, member: bytes) -> Expire:
        expiry_day = operation.body["expiry_day"]
        points = self._model.state.unreserved(member, lot_id(operation.brand_id, expiry_day))
        if points <= 0:
            raise CannotBe("nothing_to_expire")
        return Expire(member, expiry_day, points)

    def _reservation(self, operation: AcceptedOperation) -> ReservationRecord | None:
        assert operation.reservation_id is not None
        return self._model.state.reservations.get(operation.reservation_id)

    def _open_reservation(self, operation: AcceptedOperation) -> ReservationRecord:
        reservation = self._reservation(operation)
        assert reservation is not None, "spend() has looked the reservation up"
        return reservation

    def _reserved(self, operation: AcceptedOperation) -> tuple[bytes, bytes]:
        assert operation.reservation_id is not None
        assert operation.reference is not None
        return operation.reservation_id, operation.reference

    def _available(self, member: bytes) -> dict[int, int]:
        unreserved = self._model.state.unreserved
        return {lot: points for lot in self._lots.get(member, ()) if (points := unreserved(member, lot)) > 0}

    def _is_expired(self, expiry_day: int) -> bool:
        return is_expired(expiry_day, self._view.timestamp, self._model.utc_offset_seconds)


def _take(points: int, from_lots: Iterable[tuple[int, int]]) -> list[Line]:
    """Lines that take up to `points`, lot by lot."""
    lines: list[Line] = []
    for lot, there in from_lots:
        taken = min(points, there)
        if taken > 0:
            lines.append(Line(*split_lot_id(lot), taken))
            points -= taken
    return lines
