"""Reads accepted operations and everything that packing looks at beside them, in one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from sqlalchemy import BigInteger, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from gateway.ledger.governing import GOVERNING_NAMES
from gateway.ledger.lots import Line, split_lot_id
from gateway.ledger.state import LedgerState
from gateway.projection.issue_records import load_issues, show_issue
from gateway.projection.ledger_state import load_state
from gateway.projection.tables import LedgerEntryRow, LedgerMovementRow
from gateway.rounds.entry_building import IssuedEntry, IssuePlace, RoundView
from gateway.rounds.lot_operation import RestoreOperation, TransferOperation
from gateway.rounds.operation import (
    GIVING_KINDS,
    AdminOperation,
    CaptureOperation,
    ClawbackOperation,
    EntryOperation,
    OperationKind,
    PointRefundOperation,
    VoidOperation,
    WaitingAct,
    WaitingEntry,
    consenting,
)
from gateway.rounds.operation_codec import OPERATION_COLUMNS, operation_of
from gateway.rounds.tables import IS_OPEN, BatchRow, OperationRow, batches_adrift, is_due
from gateway.values.ids import MemberId, ReservationId
from gateway.values.points import Points

OPERATIONS_IN_ONE_ROUND = 3_000
ADMIN_OPERATIONS_IN_ONE_ROUND = 1_000
ADMIN_KINDS = (
    OperationKind.ENROLL,
    OperationKind.REGISTER_BRAND,
    OperationKind.SET_BRAND_TERMS,
    OperationKind.SET_BRAND_LIMIT,
    OperationKind.SET_BRAND_STATUS,
    OperationKind.SET_BRAND_KEY,
    OperationKind.MEMBER_ACT,
    OperationKind.EXECUTE_MEMBER_ACT,
    OperationKind.SET_EXPOSURE,
    *(OperationKind(name) for name in GOVERNING_NAMES.values()),
)
ENTRY_KINDS = tuple(kind for kind in OperationKind if kind not in ADMIN_KINDS)
_NOW = bindparam("now", type_=BigInteger)


def _open(*columns: Any) -> Select[Any]:
    return select(*columns).where(IS_OPEN)


_IS_PACKED = OperationRow.status == "packed", or_(OperationRow.batch_id.is_(None), OperationRow.batch_id.not_in(batches_adrift(_NOW)))
_IS_ON_ITS_WAY = or_(OperationRow.kind == OperationKind.ENROLL, and_(*_IS_PACKED, OperationRow.kind.not_in(GIVING_KINDS)))
_ON_THEIR_WAY = _open(OperationRow.member_id).where(_IS_ON_ITS_WAY, OperationRow.member_id.is_not(None))
_MOVING = _open(*OPERATION_COLUMNS).where(*_IS_PACKED, OperationRow.kind == OperationKind.TRANSFER)
_WAITING_BRANDS = _open(OperationRow.brand_id).where(OperationRow.kind == OperationKind.REGISTER_BRAND)
_ACCEPTED_ACTS = (
    _open(OperationRow)
    .where(OperationRow.status == "accepted", OperationRow.kind.in_(ADMIN_KINDS))
    .order_by(OperationRow.sequence)
    .limit(ADMIN_OPERATIONS_IN_ONE_ROUND)
)


@dataclass(frozen=True, slots=True)
class RoundInput:
    """Operations to pack, the state they act on, and the view of the round."""

    operations: list[WaitingEntry]
    state: LedgerState
    view: RoundView


def accepted_entries(
    session: Session, paused_brands: frozenset[int], now: int, kinds: Sequence[OperationKind] = ENTRY_KINDS
) -> list[WaitingEntry]:
    """Operations of these kinds that become entries, in their sequence; a round takes no more than so many, and each brand's first ones
    before any brand's later ones: whoever asks for little has all of it in the next round.

    A brand whose signer has not answered for its last batches gets no new ones, so that it finds one batch to sign and not a heap.
    """
    rows = session.execute(_accepted_of(tuple(kinds)), {"paused": sorted(paused_brands), "now": now})
    return [WaitingEntry(row.sequence, cast(EntryOperation, operation_of(row))) for row in rows]


@cache
def _accepted_of(kinds: tuple[OperationKind, ...]) -> Select[*tuple[Any, ...]]:
    """Made once: that takes longer than a short round's answer to it."""
    unsigned = select(BatchRow.brand_id).where(BatchRow.status == "packed")
    is_asked = OperationRow.brand_id.not_in(unsigned), OperationRow.brand_id.not_in(bindparam("paused", expanding=True)), is_due(_NOW)
    is_waiting = IS_OPEN, OperationRow.status == "accepted", OperationRow.kind.in_(kinds), *is_asked
    turn = func.row_number().over(partition_by=OperationRow.brand_id, order_by=OperationRow.sequence)
    in_turn = select(OperationRow.sequence, turn.label("turn")).where(*is_waiting).subquery()
    taken = select(in_turn.c.sequence).order_by(in_turn.c.turn, in_turn.c.sequence).limit(OPERATIONS_IN_ONE_ROUND)
    return select(*OPERATION_COLUMNS).where(OperationRow.sequence.in_(taken)).order_by(OperationRow.sequence)


def accepted_acts(session: Session) -> list[WaitingAct]:
    """Operations that become transactions of the operator, in their sequence."""
    rows = session.scalars(_ACCEPTED_ACTS)
    return [WaitingAct(row.sequence, cast(AdminOperation, operation_of(row))) for row in rows]


def read_round(session: Session, waiting: list[WaitingEntry], timestamp: int) -> RoundInput:
    """The state and view for packing these operations."""
    members: set[MemberId] = set()
    reservations: set[ReservationId] = set()
    issues: set[IssuePlace] = set()
    clawbacks: set[IssuePlace] = set()
    for each in waiting:
        operation = each.operation
        members.update((operation.member_id, *consenting(operation)))
        if isinstance(operation, CaptureOperation | VoidOperation | PointRefundOperation):
            reservations.add(operation.reservation_id)
        elif isinstance(operation, ClawbackOperation):
            issues.add((operation.brand_id, operation.issue_reference))
        elif isinstance(operation, RestoreOperation):
            issues.add((operation.brand_id, operation.issue_reference))
            clawbacks.update((operation.brand_id, reference) for reference in operation.clawbacks)
    issued = _issued(session, issues)
    view = RoundView(
        timestamp=timestamp,
        issued=issued,
        waiting_issues=_waiting(session, issues, OperationKind.ISSUE),
        clawed_back=_clawed_back(session, clawbacks),
        waiting_clawbacks=_waiting(session, clawbacks, OperationKind.CLAWBACK),
        waiting_reservations=_waiting_reservations(session, reservations),
        blocked_members=_blocked_members(session, timestamp),
        waiting_brands=frozenset(session.scalars(_WAITING_BRANDS)),
    )
    state = load_state(session, members, reservations)
    load_issues(session, state, {(brand_id, one.shown.number, one.shown.index) for (brand_id, _), one in issued.items()})
    return RoundInput(waiting, state, view)


def _waiting(session: Session, places: set[IssuePlace], kind: OperationKind) -> frozenset[IssuePlace]:
    """Those of the places that an open operation of this kind will fill."""
    if not places:
        return frozenset()
    named = [reference for _, reference in places]
    rows = _open(OperationRow.brand_id, OperationRow.reference)
    of_kind = OperationRow.kind == kind, OperationRow.reference.in_(named)
    return frozenset((brand_id, reference) for brand_id, reference in session.execute(rows.where(*of_kind)))


def _clawed_back(session: Session, clawbacks: set[IssuePlace]) -> dict[IssuePlace, list[Line]]:
    """The lots that clawbacks on the ledger took from."""
    found: dict[IssuePlace, list[Line]] = {}
    entry, movement = LedgerEntryRow, LedgerMovementRow
    for brand_id, reference in clawbacks:
        rows = session.execute(
            select(movement.lot_id, movement.held_delta)
            .join(entry, entry.position == movement.position)
            .where(entry.brand_id == brand_id, entry.reference == reference, entry.kind == "clawback", entry.refused_reason.is_(None))
            .order_by(movement.lot_id)
        )
        found[brand_id, reference] = [Line(*split_lot_id(lot), Points(-held_delta)) for lot, held_delta in rows]
    return found


def _waiting_reservations(session: Session, reservation_ids: set[ReservationId]) -> frozenset[ReservationId]:
    if not reservation_ids:
        return frozenset()
    opening = OperationRow.kind.in_((OperationKind.AUTHORIZE, OperationKind.REDEEM)), OperationRow.reservation_id.in_(reservation_ids)
    return frozenset(session.scalars(_open(OperationRow.reservation_id).where(*opening)))


def _blocked_members(session: Session, now: int) -> frozenset[MemberId]:
    """Members who wait for their enrolment, or have something in a batch that is on its way to the ledger, a transfer to them too; issues
    block nobody.
    """
    transfers = map(operation_of, session.execute(_MOVING, {"now": now}))
    takers = {transfer.taker_id for transfer in transfers if isinstance(transfer, TransferOperation)}
    return frozenset(session.scalars(_ON_THEIR_WAY, {"now": now})) | takers


def _issued(session: Session, issues: set[IssuePlace]) -> dict[IssuePlace, IssuedEntry]:
    found: dict[IssuePlace, IssuedEntry] = {}
    for brand_id, reference in issues:
        row = session.execute(
            select(LedgerMovementRow.member_id, LedgerMovementRow.lot_id, LedgerEntryRow.batch_number, LedgerEntryRow.entry_index)
            .join(LedgerEntryRow, LedgerEntryRow.position == LedgerMovementRow.position)
            .where(LedgerEntryRow.brand_id == brand_id, LedgerEntryRow.reference == reference, LedgerEntryRow.kind == "issue")
            .limit(1)
        ).one_or_none()
        if row is not None:
            shown = show_issue(session, (brand_id, row.batch_number, row.entry_index))
            found[brand_id, reference] = IssuedEntry(row.member_id, row.lot_id, shown)
    return found
