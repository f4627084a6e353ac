"""Turns accepted operations into batches of one round, choosing lots on the ledger's state plus what the round itself has done so far.

A round first spends (each member at one brand only), then issues, so no batch depends on a batch of another brand: whichever of them
is signed and mined, the others mean the same. What has to wait for another operation is left for a later round.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.ledger.effects import Refused
from gateway.ledger.entries import Entry, encode_entry
from gateway.ledger.model import LedgerModel
from gateway.ledger.refusals import RefusalReason
from gateway.rounds.entry_building import CannotBe, EntryBuilder, MustWait, RoundView
from gateway.rounds.gas import BATCH_GAS_MAX, entry_gas
from gateway.rounds.lot_operation import OpeningOperation, TransferOperation
from gateway.rounds.operation import (
    CaptureOperation,
    EntryOperation,
    GivingOperation,
    IssueOperation,
    LotOperation,
    PointRefundOperation,
    VoidOperation,
    WaitingEntry,
    consenting,
)
from gateway.values.ids import MemberId, OperationId
from gateway.values.points import Points

ENTRIES_MAX = 300


class Phase(StrEnum):
    """A brand has at most one batch of each in a round."""

    LOTS = "lots"
    ISSUE = "issue"


@dataclass(frozen=True, slots=True)
class PackedOperation:
    waiting: WaitingEntry
    entry: bytes


@dataclass(slots=True)
class PackedBatch:
    """`batch_id` is given once it is stored."""

    brand_id: int
    phase: Phase
    packed: list[PackedOperation] = field(default_factory=list)
    gas: int = 0
    batch_id: int | None = None


@dataclass(frozen=True, slots=True)
class RefusedOperation:
    waiting: WaitingEntry
    reason: str


@dataclass(slots=True)
class Round:
    """What a round does: batches in the order in which they are to be mined, refusals, and points that could not be clawed back.

    `found`: how many operations stood on the ledger already.
    """

    batches: list[PackedBatch] = field(default_factory=list)
    refused: list[RefusedOperation] = field(default_factory=list)
    points_short: dict[OperationId, Points] = field(default_factory=dict)
    deferred: int = 0
    found: int = 0


def pack_round(waiting: Iterable[WaitingEntry], model: LedgerModel, view: RoundView) -> Round:
    """Packs operations in their sequence; `model` holds the state of every member and reservation they name and is changed."""
    packing = _Packing(model, view)
    issues: list[tuple[WaitingEntry, GivingOperation]] = []
    for each in sorted(waiting, key=lambda one: one.sequence):
        if isinstance(each.operation, IssueOperation | OpeningOperation):
            issues.append((each, each.operation))
        else:
            packing.use_lots(each, each.operation)
    for each, issue in issues:
        packing.issue(each, issue)
    return packing.round


class _Packing:
    def __init__(self, model: LedgerModel, view: RoundView) -> None:
        self.round = Round()
        self._model = model
        self._view = view
        self._batches: dict[tuple[int, Phase], PackedBatch] = {}
        self._brand_of_member: dict[MemberId, int] = {}
        self._blocked = set(view.blocked_members)
        self._builder = EntryBuilder(model, view)
        self.round.points_short = self._builder.points_short

    def issue(self, waiting: WaitingEntry, operation: GivingOperation) -> None:
        if self._brand_is_there(waiting):
            self._add(waiting, Phase.ISSUE, self._builder.entry(operation))

    def use_lots(self, waiting: WaitingEntry, operation: LotOperation) -> None:
        if not self._brand_is_there(waiting):
            return
        members = self._members_of(operation)
        if not members:
            if getattr(operation, "reservation_id", None) in self._view.waiting_reservations:
                self._defer()
            else:
                self._refuse(waiting, RefusalReason.UNKNOWN_RESERVATION)
            return
        is_blocked = not self._blocked.isdisjoint((*members, *consenting(operation)))
        if is_blocked or any(self._brand_of_member.get(member, operation.brand_id) != operation.brand_id for member in members):
            self._defer(*members)
            return
        try:
            entry = self._builder.entry(operation)
        except MustWait:
            self._defer(*members)
            return
        except CannotBe as refused:
            self._refuse(waiting, refused.reason)
            return
        if self._add(waiting, Phase.LOTS, entry, *members):
            self._brand_of_member.update(dict.fromkeys(members, operation.brand_id))

    def _members_of(self, operation: EntryOperation) -> tuple[MemberId, ...]:
        """Whose points it touches: of a reservation, whoever holds it by the ledger; nobody's where the ledger has no such reservation."""
        match operation:
            case CaptureOperation() | VoidOperation() | PointRefundOperation():
                reservation = self._model.state.reservations.get(operation.reservation_id)
                return (reservation.member,) if reservation else ()
            case TransferOperation():
                return operation.member_id, operation.taker_id
            case _:
                return (operation.member_id,)

    def _brand_is_there(self, waiting: WaitingEntry) -> bool:
        brand_id = waiting.operation.brand_id
        if brand_id in self._model.state.brands:
            return True
        if brand_id in self._view.waiting_brands:
            self.round.deferred += 1
        else:
            self._refuse(waiting, "brand_not_on_ledger")
        return False

    def _add(self, waiting: WaitingEntry, phase: Phase, entry: Entry, *members: MemberId) -> bool:
        """Applies the entry to the state and puts it into its batch; a full batch or a predicted refusal leaves no trace."""
        brand_id, gas = waiting.operation.brand_id, entry_gas(entry)
        batch = self._batches.get((brand_id, phase))
        if batch and (len(batch.packed) >= ENTRIES_MAX or batch.gas + gas > BATCH_GAS_MAX):
            self._defer(*members)
            return False
        packed = encode_entry(entry)
        effect = self._model.apply_entry(brand_id, packed, self._view.timestamp)
        if isinstance(effect, Refused):
            self._refuse(waiting, effect.reason)
            return False
        if batch is None:
            batch = self._batches[brand_id, phase] = PackedBatch(brand_id, phase)
            self.round.batches.append(batch)
        self._builder.note(effect)
        batch.packed.append(PackedOperation(waiting, packed))
        batch.gas += gas
        return True

    def _defer(self, *members: MemberId) -> None:
        """Leaves the operation for a later round, and with it everything else that these members do."""
        self.round.deferred += 1
        self._blocked.update(members)

    def _refuse(self, waiting: WaitingEntry, reason: str) -> None:
        self.round.refused.append(RefusedOperation(waiting, str(reason)))
