"""Accepted operations and the references they use up. New rows go in together when the unit of work ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import CursorResult, func, insert, select, update

from gateway.projection.tables import LedgerEntryRow
from gateway.rounds.found_entries import as_on_ledger
from gateway.rounds.lot_operation import OpeningOperation
from gateway.rounds.operation import (
    GIVING_KINDS,
    AuthorizeOperation,
    EntryOperation,
    IssueOperation,
    Operation,
    OperationKind,
    OperationStatus,
    RedeemOperation,
    RedemptionOperation,
    StoredOperation,
)
from gateway.rounds.operation_codec import columns_of, operation_of
from gateway.rounds.tables import IS_OPEN, OperationRow, ReferenceRow
from gateway.store.chunks import chunks
from gateway.store.unit_of_work import UnitOfWork
from gateway.store.upsert import insert_rows
from gateway.values.ids import MemberId, OperationId, Reference, ReservationId
from gateway.values.points import Points

_FREE = OperationId("")


class SqlOperations:
    """Answers include what this unit of work has accepted itself."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session
        self._new: dict[OperationId, Operation] = {}
        self._rows: list[dict[str, Any]] = []
        self._references: dict[tuple[int, Reference], OperationId | None] = {}
        self._free: set[tuple[int, Reference]] = set()
        self._new_references: list[dict[str, Any]] = []
        self._known_again: list[dict[str, Any]] = []
        self._pending_issues: dict[int, Points] = {}
        work.before_reading(self.flush)

    def accept(self, operation: Operation, at: int) -> None:
        """Stores it as accepted, with its reference: from the commit on it is acknowledged."""
        row = columns_of(operation)
        self._new[operation.operation_id] = operation
        self._rows.append({**row, "status": OperationStatus.ACCEPTED.value, "created_at": at})
        if isinstance(operation, IssueOperation | OpeningOperation) and operation.brand_id in self._pending_issues:
            self._pending_issues[operation.brand_id] = Points(self._pending_issues[operation.brand_id] + operation.points)
        if row["reference"] is not None:
            key = row["brand_id"], row["reference"]
            new = {name: row[name] for name in ("brand_id", "reference", "kind", "operation_id")}
            if key not in self._references and key not in self._free:
                self.prefetch_references(row["brand_id"], [row["reference"]])
            (self._new_references if self._references.get(key, _FREE) is not None else self._known_again).append(new)
            self._references[key] = operation.operation_id
            self._free.discard(key)

    def accept_again(self, operation: Operation, at: int) -> None:
        """Another try of an operation that ended refused, under the same reference."""
        self.flush()
        row = columns_of(operation)
        of_try = {"status": OperationStatus.ACCEPTED.value, "created_at": at}
        named = ReferenceRow.brand_id == row["brand_id"], ReferenceRow.reference == row["reference"]
        self._session.execute(insert(OperationRow), {**row, **of_try})
        self._session.execute(update(ReferenceRow).where(*named).values(operation_id=operation.operation_id))
        self._references.pop((row["brand_id"], row["reference"]), None)
        self._pending_issues.pop(row["brand_id"], None)

    def retry(self, operation_id: OperationId) -> bool:
        """Accepts one again that ended refused, as it is; False where somebody else was faster."""
        refused = OperationRow.operation_id == operation_id, OperationRow.status == OperationStatus.REFUSED.value
        ended = dict.fromkeys(("reason", "batch_id", "entry_index", "block_number", "finished_at", "not_before", "given_up_at"))
        again = update(OperationRow).where(*refused).values(status=OperationStatus.ACCEPTED.value, **ended)
        self._pending_issues.clear()
        return cast(CursorResult[Any], self._session.execute(again)).rowcount == 1

    def find(self, operation_id: OperationId) -> StoredOperation | None:
        new = self._new.get(operation_id)
        if new is not None:
            return StoredOperation(new, OperationKind(columns_of(new)["kind"]), OperationStatus.ACCEPTED)
        row = self._session.scalar(select(OperationRow).where(OperationRow.operation_id == operation_id))
        if row is None:
            return None
        return StoredOperation(operation_of(row), OperationKind(row.kind), OperationStatus(row.status), row.reason)

    def by_reference(self, brand_id: int, reference: Reference) -> tuple[bool, StoredOperation | None]:
        """(used before, the operation if it is still known)."""
        key = (brand_id, reference)
        if key not in self._references and key not in self._free:
            self.prefetch_references(brand_id, [reference])
        if key in self._free:
            return False, None
        operation_id = self._references[key]
        return True, None if operation_id is None else self.find(operation_id)

    def as_on_ledger(self, operation: EntryOperation) -> EntryOperation | None:
        """The operation as the ledger has it under its reference, where nobody here knows it any more."""
        brand_id, reference = operation.brand_id, getattr(operation, "reference", None)
        if reference is None or self.by_reference(brand_id, reference) != (True, None):
            return None
        named = LedgerEntryRow.brand_id == brand_id, LedgerEntryRow.reference == reference, LedgerEntryRow.refused_reason.is_(None)
        entry = self._session.scalars(select(LedgerEntryRow).where(*named)).first()
        return None if entry is None else as_on_ledger(operation, entry)

    def prefetch_references(self, brand_id: int, references: Iterable[Reference]) -> None:
        """Reads many references at once."""
        for some in chunks(references):
            self._free.update((brand_id, reference) for reference in some)
            rows = self._session.execute(
                select(ReferenceRow.reference, ReferenceRow.operation_id).where(
                    ReferenceRow.brand_id == brand_id, ReferenceRow.reference.in_(some)
                )
            )
            for reference, operation_id in rows:
                self._references[brand_id, reference] = None if operation_id is None else OperationId(operation_id)
                self._free.discard((brand_id, reference))

    def pending_issues(self, brand_id: int) -> Points:
        """Points of accepted issues of the brand that are not on the ledger yet."""
        if brand_id not in self._pending_issues:
            self.flush()
            pending = select(func.coalesce(func.sum(OperationRow.points), 0)).where(
                IS_OPEN, OperationRow.brand_id == brand_id, OperationRow.kind.in_(GIVING_KINDS)
            )
            self._pending_issues[brand_id] = Points(int(self._session.scalar(pending) or 0))
        return self._pending_issues[brand_id]

    def pending_on(self, reservation_id: ReservationId) -> list[Operation]:
        """Open operations on a reservation, the one that makes it among them."""
        self.flush()
        rows = self._session.scalars(select(OperationRow).where(OperationRow.reservation_id == reservation_id, IS_OPEN))
        return [operation_of(row) for row in rows]

    def pending_redemptions(self, member_id: MemberId) -> list[RedemptionOperation]:
        """Open operations that take from the member's points at some brand."""
        self.flush()
        redeeming = OperationRow.kind.in_((OperationKind.AUTHORIZE.value, OperationKind.REDEEM.value))
        rows = self._session.scalars(select(OperationRow).where(OperationRow.member_id == member_id, IS_OPEN, redeeming))
        return [each for each in map(operation_of, rows) if isinstance(each, AuthorizeOperation | RedeemOperation)]

    def flush(self) -> None:
        if self._rows:
            insert_rows(self._session, OperationRow, self._rows)
            self._rows.clear()
        if self._new_references:
            insert_rows(self._session, ReferenceRow, self._new_references)
            self._new_references.clear()
        if self._known_again:
            self._session.execute(update(ReferenceRow), self._known_again)
            self._known_again.clear()
