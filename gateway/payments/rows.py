"""Payment files with their records and line errors, and saved column mappings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import aliased

from gateway.payments.record import FileStatus, LineError, PaymentFile, PaymentRecord, ReadFile, RecordKind
from gateway.payments.tables import ColumnMappingRow, PaymentFileErrorRow, PaymentFileRow, PaymentRecordRow
from gateway.store.chunks import chunks
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.ids import Hash

FILE_COLUMNS = [column for column in PaymentFileRow.__table__.columns if column.name != "content"]
_ROWS_AT_ONCE = 5000
_RECORD_COLUMNS = PaymentRecordRow.__table__.columns


class SqlPaymentFiles:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def of_content(self, brand_id: int, file_hash: Hash) -> list[PaymentFile]:
        rows = self._session.execute(
            select(*FILE_COLUMNS)
            .where(PaymentFileRow.brand_id == brand_id, PaymentFileRow.file_hash == file_hash)
            .order_by(PaymentFileRow.created_at, PaymentFileRow.payment_file_id)
        )
        return [_file(row._asdict()) for row in rows]

    def find(self, payment_file_id: str) -> PaymentFile | None:
        row = self._session.execute(select(*FILE_COLUMNS).where(PaymentFileRow.payment_file_id == payment_file_id)).one_or_none()
        return None if row is None else _file(row._asdict())

    def records_until(self, brand_id: int, cut_off: date) -> list[tuple[int, PaymentRecord]]:
        """The records of all files with a business date up to the cut-off, with their ids."""
        rows = self._session.execute(
            select(*(_RECORD_COLUMNS[name] for name in ("payment_record_id", *PaymentRecord.__slots__))).where(
                PaymentRecordRow.brand_id == brand_id, PaymentRecordRow.business_date <= cut_off.isoformat()
            )
        )
        return [(record_id, _record(values)) for record_id, *values in rows]

    def add(self, file: PaymentFile, content: bytes, read: ReadFile | None) -> None:
        values = {column.name: getattr(file, column.name) for column in FILE_COLUMNS}
        self._session.execute(insert(PaymentFileRow).values(**values | {"status": file.status.value, "content": content}))
        if read is None:
            return
        self._insert_records(file, read.records)
        for some in chunks(read.errors, _ROWS_AT_ONCE):
            self._session.execute(insert(PaymentFileErrorRow), [_error_values(file, error) for error in some])
        self._mark_repeats(file)

    def _insert_records(self, file: PaymentFile, records: Iterable[PaymentRecord]) -> None:
        for some in chunks(records, _ROWS_AT_ONCE):
            values = [_record_values(file, record) for record in some]
            self._session.connection().execute(insert(PaymentRecordRow), values)  # past the ORM: twice as fast

    def _mark_repeats(self, file: PaymentFile) -> None:
        """Names the first record that was kept with the same business key."""
        other = aliased(PaymentRecordRow)
        first = (
            select(func.min(other.payment_record_id))
            .where(
                other.brand_id == PaymentRecordRow.brand_id,
                other.provider == PaymentRecordRow.provider,
                other.provider_record_id == PaymentRecordRow.provider_record_id,
                other.kind == PaymentRecordRow.kind,
            )
            .correlate(PaymentRecordRow)
            .scalar_subquery()
        )
        self._session.execute(
            update(PaymentRecordRow)
            .where(PaymentRecordRow.payment_file_id == file.payment_file_id, first < PaymentRecordRow.payment_record_id)
            .values(repeat_of=first)
            .execution_options(synchronize_session=False)
        )


class SqlColumnMappings:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def latest(self, brand_id: int, name: str) -> tuple[int, str] | None:
        row = self._session.execute(
            select(ColumnMappingRow.version, ColumnMappingRow.definition)
            .where(ColumnMappingRow.brand_id == brand_id, ColumnMappingRow.name == name)
            .order_by(ColumnMappingRow.version.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else (row.version, row.definition)

    def version(self, brand_id: int, name: str, version: int) -> str | None:
        row = self._session.get(ColumnMappingRow, (brand_id, name, version))
        return None if row is None else row.definition

    def add(self, brand_id: int, name: str, version: int, definition: str, at: int) -> None:
        self._session.execute(
            insert(ColumnMappingRow).values(brand_id=brand_id, name=name, version=version, definition=definition, created_at=at)
        )


def _file(values: dict[str, object]) -> PaymentFile:
    return PaymentFile(**values | {"status": FileStatus(str(values["status"]))})  # type: ignore[arg-type]  # the columns are its fields


def _record(values: Sequence[Any]) -> PaymentRecord:
    """From the columns in the order of the record's fields."""
    line_number, provider, kind, *middle, business_date, payout_id = values
    fields = (line_number, provider, RecordKind(kind), *middle, date.fromisoformat(business_date), payout_id)
    return PaymentRecord(*fields)


def _record_values(file: PaymentFile, record: PaymentRecord) -> dict[str, object]:
    return {
        "payment_file_id": file.payment_file_id,
        "line_number": record.line_number,
        "brand_id": file.brand_id,
        "provider": record.provider,
        "kind": record.kind.value,
        "provider_record_id": record.provider_record_id,
        "payment_id": record.payment_id,
        "refund_id": record.refund_id,
        "currency": record.currency,
        "gross_minor": record.gross_minor,
        "fee_minor": record.fee_minor,
        "net_minor": record.net_minor,
        "occurred_at": record.occurred_at,
        "business_date": record.business_date.isoformat(),
        "payout_id": record.payout_id,
        "repeat_of": None,
    }


def _error_values(file: PaymentFile, error: LineError) -> dict[str, object]:
    return {
        "payment_file_id": file.payment_file_id,
        "line_number": error.line_number,
        "reason": error.reason,
        "text": error.text,
    }
