"""A payment file and the lines of it that could not be used."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.payments.record import LineError
from gateway.payments.tables import PaymentFileErrorRow


def line_errors(session: Session, payment_file_id: str, *, after_line: int = 0, limit: int = 100) -> list[LineError]:
    """In the order of the file, from the line after `after_line` on."""
    rows = session.scalars(
        select(PaymentFileErrorRow)
        .where(PaymentFileErrorRow.payment_file_id == payment_file_id, PaymentFileErrorRow.line_number > after_line)
        .order_by(PaymentFileErrorRow.line_number)
        .limit(limit)
    )
    return [LineError(row.line_number, row.reason, row.text) for row in rows]
