"""Accepted operations and the references they use up. New rows go in together when the unit of work ends."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import func, insert, select

from gateway.rounds.operation import NewOperation, OperationKind, OperationStatus, StoredOperation
from gateway.rounds.tables import IS_OPEN, OperationRow, ReferenceRow
from gateway.store.chunks import chunks
from gateway.store.unit_of_work import UnitOfWork


class SqlOperations:
    """Answers include what this unit of work has accepted itself."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session
        self._new: dict[str, NewOperation] = {}
        self._rows: list[dict[str, object]] = []
        self._references: dict[tuple[int, str], str | None] = {}
        self._free: set[tuple[int, str]] = set()
        self._new_references: list[dict[str, object]] = []
        self._pending_issues: dict[int, int] = {}
        work.before_reading(self.flush)

    def accept(self, operation: NewOperation, at: int) -> None:
        """Stores it as accepted, with its reference: from the commit on it is acknowledged."""
        self._new[operation.operation_id] = operation
        self._rows.append(
            {
                "operation_id": operation.operation_id,
                "brand_id": operation.brand_id,
                "kind": operation.kind.value,
                "member_id": operation.member_id,
                "points": operation.points,
                "pending_out": operation.pending_out,
                "reference": operation.reference,
                "reservation_id": operation.reservation_id,
                "body": json.dumps(operation.body, separators=(",", ":")),
                "status": OperationStatus.ACCEPTED.value,
                "created_at": at,
            }
        )
        if operation.kind is OperationKind.ISSUE and operation.brand_id in self._pending_issues:
            self._pending_issues[operation.brand_id] += operation.points
        if operation.brand_id is not None and operation.reference is not None:
            self._references[operation.brand_id, operation.reference] = operation.operation_id
            self._free.discard((operation.brand_id, operation.reference))
            self._new_references.append(
                {
                    "brand_id": operation.brand_id,
                    "reference": operation.reference,
                    "kind": operation.kind.value,
                    "operation_id": operation.operation_id,
                }
            )

    def find(self, operation_id: str) -> StoredOperation | None:
        new = self._new.get(operation_id)
        if new is not None:
            return StoredOperation(
                operation_id, new.kind, OperationStatus.ACCEPTED, new.body, new.brand_id, new.reference, new.reservation_id
            )
        row = self._session.scalar(select(OperationRow).where(OperationRow.operation_id == operation_id))
        return None if row is None else _stored(row)

    def by_reference(self, brand_id: int, reference: str) -> tuple[bool, StoredOperation | None]:
        """(used before, the operation if it is still known)."""
        key = (brand_id, reference)
        if key not in self._references and key not in self._free:
            self.prefetch_references(brand_id, [reference])
        if key in self._free:
            return False, None
        operation_id = self._references[brand_id, reference]
        return True, None if operation_id is None else self.find(operation_id)

    def prefetch_references(self, brand_id: int, references: Iterable[str]) -> None:
        """Reads many references at once."""
        for some in chunks(references):
            self._free.update((brand_id, reference) for reference in some)
            rows = self._session.execute(
                select(ReferenceRow.reference, ReferenceRow.operation_id).where(
                    ReferenceRow.brand_id == brand_id, ReferenceRow.reference.in_(some)
                )
            )
            for reference, operation_id in rows:
                self._references[brand_id, reference] = operation_id
                self._free.discard((brand_id, reference))

    def pending_issues(self, brand_id: int) -> int:
        """Points of accepted issues of the brand that are not on the ledger yet."""
        if brand_id not in self._pending_issues:
            self.flush()
            self._pending_issues[brand_id] = int(
                self._session.scalar(
                    select(func.coalesce(func.sum(OperationRow.points), 0)).where(
                        IS_OPEN, OperationRow.brand_id == brand_id, OperationRow.kind == OperationKind.ISSUE.value
                    )
                )
                or 0
            )
        return self._pending_issues[brand_id]

    def pending_on(self, reservation_id: str) -> list[tuple[str, int]]:
        """(kind, points) of open operations on a reservation."""
        self.flush()
        rows = self._session.execute(
            select(OperationRow.kind, OperationRow.points).where(OperationRow.reservation_id == reservation_id, IS_OPEN)
        )
        return [(kind, points) for kind, points in rows]

    def flush(self) -> None:
        if self._rows:
            self._session.execute(insert(OperationRow), self._rows)
            self._rows.clear()
        if self._new_references:
            self._session.execute(insert(ReferenceRow), self._new_references)
            self._new_references.clear()


def _stored(row: OperationRow) -> StoredOperation:
    return StoredOperation(
        row.operation_id,
        OperationKind(row.kind),
        OperationStatus(row.status),
        json.loads(row.body),
        row.brand_id,
        row.reference,
        row.reservation_id,
    )
