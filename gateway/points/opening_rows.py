"""Opening imports as they are kept, and which of their waiting lines can be given now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import ColumnElement, Select, insert, select, update

from gateway.ledger.opening_file import OpeningTerms
from gateway.points.opening import OpeningLine, StoredOpeningFile, WaitingLine
from gateway.points.tables import OpeningFileRow, OpeningLineRow
from gateway.projection.tables import LedgerAuthorizerRow
from gateway.rounds.operation import OperationStatus
from gateway.rounds.tables import OperationRow
from gateway.store.chunks import chunks
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.ids import Hash, OperationId, Reference
from gateway.values.points import Points

GIVEN_IN_ONE_ROUND = 3_000
_LINES_AT_ONCE = 1_000


class SqlOpenings:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session
        self._work = work

    def of_content(self, brand_id: int, source: Hash) -> StoredOpeningFile | None:
        named = OpeningFileRow.brand_id == brand_id, OpeningFileRow.source == source
        row = self._session.scalars(select(OpeningFileRow).where(*named)).one_or_none()
        return None if row is None else stored_file(row)

    def find(self, opening_file_id: str) -> StoredOpeningFile | None:
        row = self._session.get(OpeningFileRow, opening_file_id)
        return None if row is None else stored_file(row)

    def places(self, brand_id: int, references: Sequence[Reference]) -> Mapping[Reference, str]:
        found: dict[Reference, str] = {}
        file, line = OpeningFileRow, OpeningLineRow
        for some in chunks(references):
            rows = self._session.execute(
                select(line.reference, line.opening_file_id, line.line_number)
                .join(file, file.opening_file_id == line.opening_file_id)
                .where(file.brand_id == brand_id, line.reference.in_(some))
            )
            found.update({reference: f"line {number} of {name}" for reference, name, number in rows if reference is not None})
        return found

    def add(self, file: StoredOpeningFile, lines: Sequence[OpeningLine]) -> None:
        terms = file.terms
        self._session.execute(
            insert(OpeningFileRow).values(
                opening_file_id=file.opening_file_id,
                brand_id=file.brand_id,
                file_name=file.file_name,
                source=file.source,
                programme=terms.programme,
                ratio_points=terms.ratio_points,
                ratio_units=terms.ratio_units,
                expires_on=None if terms.expires_on is None else terms.expires_on.isoformat(),
                row_count=file.row_count,
                created_at=file.created_at,
            )
        )
        for some in chunks(lines, _LINES_AT_ONCE):
            self._session.execute(insert(OpeningLineRow), [_values(file.opening_file_id, line) for line in some])

    def set_operations(self, opening_file_id: str, operations: Mapping[int, OperationId]) -> None:
        rows = [{"opening_file_id": opening_file_id, "line_number": line, "operation_id": given} for line, given in operations.items()]
        if rows:
            self._session.execute(update(OpeningLineRow), rows)

    def refused_by_ledger(self, opening_file_id: str) -> list[OpeningLine]:
        self._work.flush()
        is_refused = OperationRow.status == OperationStatus.REFUSED.value
        rows = select(OpeningLineRow).join(OperationRow, OperationRow.operation_id == OpeningLineRow.operation_id)
        found = rows.where(OpeningLineRow.opening_file_id == opening_file_id, is_refused).order_by(OpeningLineRow.line_number)
        return [_line(row) for row in self._session.scalars(found)]

    def operations_of(self, opening_file_id: str) -> list[str]:
        rows = select(OpeningLineRow.operation_id).where(OpeningLineRow.opening_file_id == opening_file_id)
        return [found for found in self._session.scalars(rows) if found is not None]

    def ready(self) -> list[WaitingLine]:
        """Waiting lines whose members are on the ledger now."""
        rows = self._session.execute(_ready().limit(GIVEN_IN_ONE_ROUND))
        return [WaitingLine(stored_file(file), _line(line)) for line, file in rows]


def _ready() -> Select[OpeningLineRow, OpeningFileRow]:
    line, file = OpeningLineRow, OpeningFileRow
    waits: tuple[ColumnElement[bool], ...] = (line.operation_id.is_(None), line.reason.is_(None))
    is_enrolled = select(LedgerAuthorizerRow.member_id).where(LedgerAuthorizerRow.member_id == line.member_id).exists()
    found = select(line, file).join(file, file.opening_file_id == line.opening_file_id)
    return found.where(*waits, is_enrolled).order_by(line.opening_file_id, line.line_number)


def stored_file(row: OpeningFileRow) -> StoredOpeningFile:
    expires_on = None if row.expires_on is None else date.fromisoformat(row.expires_on)
    terms = OpeningTerms(row.programme, row.ratio_points, row.ratio_units, expires_on)
    return StoredOpeningFile(row.opening_file_id, row.brand_id, row.file_name, row.source, terms, row.row_count, row.created_at)


def _line(row: OpeningLineRow) -> OpeningLine:
    operation_id = None if row.operation_id is None else OperationId(row.operation_id)
    what = row.units, row.expiry_day, Points(row.points), row.reference
    return OpeningLine(row.line_number, row.member_id, *what, operation_id, row.reason)


def _values(opening_file_id: str, line: OpeningLine) -> dict[str, object]:
    return {
        "opening_file_id": opening_file_id,
        "line_number": line.line_number,
        "member_id": line.member_id,
        "units": line.units,
        "expiry_day": line.expiry_day,
        "points": line.points,
        "reference": line.reference,
        "operation_id": line.operation_id,
        "reason": line.reason,
    }
