"""Turns accepted operations into batches of one round, choosing lots on the ledger's state plus what the round itself has done so far.

A round first spends (each member at one brand only), then issues, so no batch depends on a batch of another brand: whichever of them
is signed and mined, the others mean the same. What has to wait for another operation is left for a later round.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.ledger.effects import Refused
from gateway.ledger.entries import Entry, encode_entry
from gateway.ledger.model import LedgerModel
from gateway.ledger.refusals import RefusalReason
from gateway.rounds.entry_building import AcceptedOperation, CannotBe, EntryBuilder, MustWait, RoundView
from gateway.rounds.gas import BATCH_GAS_MAX, entry_gas

ENTRIES_MAX = 300
SPEND, ISSUE = "spend", "issue"


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
        self._builder = EntryBuilder(model, view)
        self.round.points_short = self._builder.points_short

    def issue(self, operation: AcceptedOperation) -> None:
        if not self._brand_is_there(operation):
            return
        assert operation.member is not None
        self._add(operation, ISSUE, self._builder.entry(operation, operation.member))

    def spend(self, operation: AcceptedOperation) -> None:
        if not self._brand_is_there(operation):
            return
        member = self._member_of(operation)
        if member is None:
            if operation.reservation_id in self._view.waiting_reservations:
                self._defer(operation, None)
            else:
                self._refuse(operation, RefusalReason.UNKNOWN_RESERVATION)
            return
        if member in self._blocked or self._brand_of_member.get(member, operation.brand_id) != operation.brand_id:
            self._defer(operation, member)
            return
        try:
            entry = self._builder.entry(operation, member)
        except MustWait:
            self._defer(operation, member)
            return
        except CannotBe as refused:
            self._refuse(operation, refused.reason)
            return
        if self._add(operation, SPEND, entry):
            self._brand_of_member[member] = operation.brand_id

    def _member_of(self, operation: AcceptedOperation) -> bytes | None:
        if operation.kind in ("capture", "void", "point_refund"):
            assert operation.reservation_id is not None
            reservation = self._model.state.reservations.get(operation.reservation_id)
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
        self._builder.note(effect)
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
