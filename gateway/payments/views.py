"""A payment file, the lines of it that could not be used, and the currencies of its records."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.payments.record import LineError
from gateway.payments.tables import PaymentFileErrorRow, PaymentRecordRow
from gateway.store.chunks import chunks


def line_errors(session: Session, payment_file_id: str, *, after_line: int = 0, limit: int = 100) -> list[LineError]:
    """In the order of the file, from the line after `after_line` on."""
    rows = session.scalars(
        select(PaymentFileErrorRow)
        .where(PaymentFileErrorRow.payment_file_id == payment_file_id, PaymentFileErrorRow.line_number > after_line)
        .order_by(PaymentFileErrorRow.line_number)
        .limit(limit)
    )
    return [LineError(row.line_number, row.reason, row.text) for row in rows]


def record_currencies(session: Session, payment_record_ids: Iterable[int]) -> dict[int, str]:
    """The currency of each of these records."""
    record = PaymentRecordRow
    found: dict[int, str] = {}
    for some in chunks(payment_record_ids):
        rows = session.execute(select(record.payment_record_id, record.currency).where(record.payment_record_id.in_(some)))
        found.update((record_id, currency) for record_id, currency in rows)
    return found
