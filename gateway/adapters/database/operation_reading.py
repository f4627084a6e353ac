"""Reads accepted operations and everything that packing looks at beside them, in one snapshot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.adapters.database.ledger_state import load_state
from gateway.adapters.database.tables_operations import OperationRow
from gateway.adapters.database.tables_projection import LedgerEntryRow, LedgerMovementRow
from gateway.domain.ledger.state import LedgerState
from gateway.operations.entry_building import AcceptedOperation, IssuedEntry, RoundView

OPERATIONS_IN_ONE_ROUND = 3_000
_RESERVATION_KINDS = ("capture", "void", "point_refund")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Operations to pack, the state they act on, and the view of the round."""

    operations: list[AcceptedOperation]
    state: LedgerState
    view: RoundView


def accepted_operations(session: Session) -> list[AcceptedOperation]:
    """Operations that become entries, in their sequence; a round takes no more than so many."""
    rows = session.scalars(
        select(OperationRow)
        .where(OperationRow.status == "accepted", OperationRow.kind.in_(ENTRY_KINDS))
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
    open_rows = session.execute(
        select(
            OperationRow.kind,
            OperationRow.brand_id,
            OperationRow.status,
            OperationRow.member_id,
            OperationRow.reference,
            OperationRow.reservation_id,
        ).where(OperationRow.status.in_(("accepted", "packed")))
    ).all()
    blocked = {row.member_id for row in open_rows if row.kind == "enroll"}
    blocked |= {row.member_id for row in open_rows if row.status == "packed" and row.kind not in ("issue", "enroll")}
    view = RoundView(
        timestamp=timestamp,
        issued=_issued(session, issue_references),
        waiting_issues=frozenset(
            (row.brand_id, bytes.fromhex(row.reference[2:])) for row in open_rows if row.kind == "issue" and row.reference and row.brand_id
        ),
        waiting_reservations=frozenset(
            bytes.fromhex(row.reservation_id[2:]) for row in open_rows if row.kind in ("authorize", "redeem") and row.reservation_id
        ),
        blocked_members=frozenset(bytes.fromhex(member_id[2:]) for member_id in blocked if member_id),
        waiting_brands=frozenset(row.brand_id for row in open_rows if row.kind == "register_brand" and row.brand_id),
    )
    return Waiting(operations, load_state(session, members, reservations), view)


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
