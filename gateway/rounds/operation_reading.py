"""Reads accepted operations and everything that packing looks at beside them, in one snapshot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from gateway.ledger.state import LedgerState
from gateway.projection.ledger_state import load_state
from gateway.projection.tables import LedgerEntryRow, LedgerMovementRow
from gateway.rounds.entry_building import AcceptedOperation, IssuedEntry, RoundView
from gateway.rounds.tables import IS_OPEN, BatchRow, OperationRow

OPERATIONS_IN_ONE_ROUND = 3_000
_RESERVATION_KINDS = ("capture", "void", "point_refund")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Operations to pack, the state they act on, and the view of the round."""

    operations: list[AcceptedOperation]
    state: LedgerState
    view: RoundView


def accepted_operations(session: Session) -> list[AcceptedOperation]:
    """Operations that become entries, in their sequence; a round takes no more than so many.

    A brand whose signer has not answered for its last batches gets no new ones, so that it finds one batch to sign and not a heap.
    """
    unsigned = select(BatchRow.brand_id).where(BatchRow.status == "packed")
    rows = session.scalars(
        select(OperationRow)
        .where(IS_OPEN, OperationRow.status == "accepted", OperationRow.kind.in_(ENTRY_KINDS), OperationRow.brand_id.not_in(unsigned))
        .order_by(OperationRow.sequence)
        .limit(OPERATIONS_IN_ONE_ROUND)
    )
    return [accepted_operation(row) for row in rows]


def accepted_operation(row: OperationRow) -> AcceptedOperation:
    assert row.brand_id is not None
    return AcceptedOperation(
        operation_id=row.operation_id,
        sequence=row.sequence,
        kind=row.kind,
        brand_id=row.brand_id,
        member=_bytes(row.member_id),
        points=row.points,
        reference=_bytes(row.reference),
        reservation_id=_bytes(row.reservation_id),
        body=json.loads(row.body),
    )


def read_waiting(session: Session, operations: list[AcceptedOperation], timestamp: int) -> Waiting:
    """The state and view for packing these operations."""
    members = {operation.member for operation in operations if operation.member is not None}
    reservations = {operation.reservation_id for operation in operations if operation.reservation_id is not None}
    issue_references = {
        (operation.brand_id, bytes.fromhex(operation.body["issue_reference"][2:]))
        for operation in operations
        if operation.kind == "clawback"
    }
    view = RoundView(
        timestamp=timestamp,
        issued=_issued(session, issue_references),
        waiting_issues=_waiting_issues(session, issue_references),
        waiting_reservations=_waiting_reservations(session, reservations),
        blocked_members=_blocked_members(session),
        waiting_brands=frozenset(session.scalars(_open(OperationRow.brand_id).where(OperationRow.kind == "register_brand"))),
    )
    return Waiting(operations, load_state(session, members, reservations), view)


def _waiting_issues(session: Session, references: set[tuple[int, bytes]]) -> frozenset[tuple[int, bytes]]:
    named = ["0x" + reference.hex() for _, reference in references]
    rows = _open(OperationRow.brand_id, OperationRow.reference).where(OperationRow.kind == "issue", OperationRow.reference.in_(named))
    return frozenset((brand_id, bytes.fromhex(reference[2:])) for brand_id, reference in session.execute(rows))


def _waiting_reservations(session: Session, reservation_ids: set[bytes]) -> frozenset[bytes]:
    named = ["0x" + reservation_id.hex() for reservation_id in reservation_ids]
    opening = OperationRow.kind.in_(("authorize", "redeem")), OperationRow.reservation_id.in_(named)
    return frozenset(bytes.fromhex(found[2:]) for found in session.scalars(_open(OperationRow.reservation_id).where(*opening)))


def _blocked_members(session: Session) -> frozenset[bytes]:
    """Members who wait for their enrolment, or have something in a batch that is not on the ledger yet; issues block nobody."""
    is_enrolling = OperationRow.kind == "enroll"
    is_spending = and_(OperationRow.status == "packed", OperationRow.kind != "issue")
    found = session.scalars(_open(OperationRow.member_id).where(or_(is_enrolling, is_spending), OperationRow.member_id.is_not(None)))
    return frozenset(bytes.fromhex(member_id[2:]) for member_id in found)


def _open(*columns: Any) -> Select[Any]:
    return select(*columns).where(IS_OPEN)


def _issued(session: Session, references: set[tuple[int, bytes]]) -> dict[tuple[int, bytes], IssuedEntry]:
    found: dict[tuple[int, bytes], IssuedEntry] = {}
    for brand_id, reference in references:
        row = session.execute(
            select(LedgerMovementRow.member_id, LedgerMovementRow.lot_id)
            .join(LedgerEntryRow, LedgerEntryRow.position == LedgerMovementRow.position)
            .where(LedgerEntryRow.brand_id == brand_id, LedgerEntryRow.reference == "0x" + reference.hex(), LedgerEntryRow.kind == "issue")
            .limit(1)
        ).one_or_none()
        if row is not None:
            found[brand_id, reference] = IssuedEntry(bytes.fromhex(row.member_id[2:]), row.lot_id)
    return found


ENTRY_KINDS: Sequence[str] = ("issue", "clawback", "authorize", "redeem", *_RESERVATION_KINDS, "expire")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text[2:])
