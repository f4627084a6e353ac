"""Turns accepted operations into batches of one round, choosing lots on the ledger's state plus what the round itself has done so far.

A round first spends (each member at one brand only), then issues, so no batch depends on a batch of another brand: whichever of them
is signed and mined, the others mean the same. What has to wait for another operation is left for a later round.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gateway.domain.ledger.effects import Refused
from gateway.domain.ledger.entries import (
    MAX_LINES,
    Authorize,
    Capture,
    Clawback,
    ConsentProof,
    Entry,
    Expire,
    Issue,
    PointRefund,
    Redeem,
    Void,
    encode_entry,
)
from gateway.domain.ledger.lots import Line, NotEnoughPoints, choose_lots, is_expired, lot_id, lot_key_order, split_lot_id
from gateway.domain.ledger.model import LedgerModel
from gateway.domain.ledger.refusals import Refusal
from gateway.domain.ledger.state import Reservation
from gateway.operations.gas import BATCH_GAS_MAX, entry_gas

ENTRIES_MAX = 300
SPEND, ISSUE = "spend", "issue"


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


@dataclass(frozen=True, slots=True)
class PackedOperation:
    operation: AcceptedOperation
    entry: bytes


@dataclass(slots=True)
class PackedBatch:
    brand_id: int
    phase: str
    packed: list[PackedOperation] = field(default_factory=list)
    gas: int = 0


@dataclass(frozen=True, slots=True)
class RefusedOperation:
    operation: AcceptedOperation
    reason: str


@dataclass(slots=True)
class Round:
    """What a round does: batches in the order in which they are to be mined, refusals, and points that could not be clawed back."""

    batches: list[PackedBatch] = field(default_factory=list)
    refused: list[RefusedOperation] = field(default_factory=list)
    points_short: dict[str, int] = field(default_factory=dict)
    deferred: int = 0


def pack_round(operations: Iterable[AcceptedOperation], model: LedgerModel, view: RoundView) -> Round:
    """Packs operations in their sequence; `model` holds the state of every member and reservation they name and is changed."""
    packing = _Packing(model, view)
    waiting = sorted(operations, key=lambda operation: operation.sequence)
    for operation in waiting:
        if operation.kind != "issue":
            packing.spend(operation)
    for operation in waiting:
        if operation.kind == "issue":
            packing.issue(operation)
    return packing.round


class _Packing:
    def __init__(self, model: LedgerModel, view: RoundView) -> None:
        self.round = Round()
        self._model = model
        self._view = view
        self._batches: dict[tuple[int, str], PackedBatch] = {}
        self._brand_of_member: dict[bytes, int] = {}
        self._blocked = set(view.blocked_members)
        self._lots: dict[bytes, set[int]] = {}
        for member, lot in model.state.held:
            self._lots.setdefault(member, set()).add(lot)

    def issue(self, operation: AcceptedOperation) -> None:
        if not self._brand_is_there(operation):
            return
        assert operation.member is not None
        assert operation.reference is not None
        entry = Issue(operation.member, operation.body["expiry_day"], operation.points, operation.body["rule_version"], operation.reference)
        self._add(operation, ISSUE, entry)

    def spend(self, operation: AcceptedOperation) -> None:
        if not self._brand_is_there(operation):
            return
        member = self._member_of(operation)
        if member is None:
            if operation.reservation_id in self._view.waiting_reservations:
                self._defer(operation, None)
            else:
                self._refuse(operation, Refusal.UNKNOWN_RESERVATION)
            return
        if member in self._blocked or self._brand_of_member.get(member, operation.brand_id) != operation.brand_id:
            self._defer(operation, member)
            return
        try:
            entry = self._entry(operation, member)
        except _Waits:
            self._defer(operation, member)
            return
        except _Refused as refused:
            self._refuse(operation, refused.reason)
            return
        if self._add(operation, SPEND, entry):
            self._brand_of_member[member] = operation.brand_id

    def _member_of(self, operation: AcceptedOperation) -> bytes | None:
        if operation.kind in ("capture", "void", "point_refund"):
            reservation = self._reservation(operation)
            return reservation.member if reservation else None
        return operation.member

    def _brand_is_there(self, operation: AcceptedOperation) -> bool:
        if operation.brand_id in self._model.state.brands:
            return True
        if operation.brand_id in self._view.waiting_brands:
            self.round.deferred += 1
        else:
            self._refuse(operation, "brand_not_on_ledger")
        return False

    def _add(self, operation: AcceptedOperation, phase: str, entry: Entry) -> bool:
        """Applies the entry to the state and puts it into its batch; a full batch or a predicted refusal leaves no trace."""
        gas = entry_gas(entry)
        batch = self._batches.get((operation.brand_id, phase))
        if batch and (len(batch.packed) >= ENTRIES_MAX or batch.gas + gas > BATCH_GAS_MAX):
            self._defer(operation, None if phase == ISSUE else self._member_of(operation))
            return False
        packed = encode_entry(entry)
        effect = self._model.apply_entry(operation.brand_id, packed, self._view.timestamp)
        if isinstance(effect, Refused):
            self._refuse(operation, effect.reason)
            return False
        if batch is None:
            batch = self._batches[operation.brand_id, phase] = PackedBatch(operation.brand_id, phase)
            self.round.batches.append(batch)
        for movement in effect.movements:
            self._lots.setdefault(movement.member, set()).add(movement.lot_id)
        batch.packed.append(PackedOperation(operation, packed))
        batch.gas += gas
        return True

    def _defer(self, operation: AcceptedOperation, member: bytes | None) -> None:
        """Leaves the operation for a later round, and with it everything else that this member does."""
        self.round.deferred += 1
        if member is not None:
            self._blocked.add(member)

    def _refuse(self, operation: AcceptedOperation, reason: str) -> None:
        self.round.refused.append(RefusedOperation(operation, str(reason)))

    def _entry(self, operation: AcceptedOperation, member: bytes) -> Entry:
        match operation.kind:
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

    def _clawback(self, operation: AcceptedOperation, member: bytes) -> Clawback:
        assert operation.reference is not None
        issue_reference = bytes.fromhex(operation.body["issue_reference"][2:])
        due = operation.body["points_due"]
        issued = self._view.issued.get((operation.brand_id, issue_reference))
        if issued is None:
            if (operation.brand_id, issue_reference) in self._view.waiting_issues:
                raise _Waits
            self.round.points_short[operation.operation_id] = due
            raise _Refused("nothing_left_to_claw_back")
        lines = self._clawback_lines(operation.brand_id, member, issued.lot_id, due)
        self.round.points_short[operation.operation_id] = due - sum(line.points for line in lines)
        if not lines:
            raise _Refused("nothing_left_to_claw_back")
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
        except NotEnoughPoints as missing:
            raise _Refused(Refusal.NOT_ENOUGH_POINTS) from missing
        if len(lines) > MAX_LINES:
            raise _Refused("too_many_lots")
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
            raise _Refused(Refusal.TOO_MANY_POINTS)
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
            raise _Refused(Refusal.TOO_MANY_POINTS)
        return PointRefund(*self._reserved(operation), tuple(lines))

    def _expire(self, operation: AcceptedOperation, member: bytes) -> Expire:
        expiry_day = operation.body["expiry_day"]
        points = self._model.state.unreserved(member, lot_id(operation.brand_id, expiry_day))
        if points <= 0:
            raise _Refused("nothing_to_expire")
        return Expire(member, expiry_day, points)

    def _reservation(self, operation: AcceptedOperation) -> Reservation | None:
        assert operation.reservation_id is not None
        return self._model.state.reservations.get(operation.reservation_id)

    def _open_reservation(self, operation: AcceptedOperation) -> Reservation:
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


class _Waits(Exception):
    pass


class _Refused(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
