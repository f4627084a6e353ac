"""What all readers do alike: turn rows into records one by one, keep the good ones, name what is wrong with the others by line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.payments.csv_lines import CsvRow, Table, shown
from gateway.payments.record import ControlTotals, LineError, PaymentRecord, ReadFile, RowsRead
from gateway.values.currencies import UnreadableAmountError

PROGRESS_EVERY = 5000
ID_CHARACTERS_MAX = 128


class UnreadableLineError(ValueError):
    """This row cannot be a record, and why."""


@dataclass(slots=True)
class Sums:
    """Gross totals of all rows whose amount could be read."""

    gross_minor_by_currency: dict[str, int] = field(default_factory=dict)

    def add(self, currency: str, gross_minor: int) -> None:
        self.gross_minor_by_currency[currency] = self.gross_minor_by_currency.get(currency, 0) + gross_minor


def read_rows(
    table: Table,
    record_of: Callable[[CsvRow, Sums], PaymentRecord],
    *,
    progress: RowsRead | None = None,
    trailer_of: Callable[[CsvRow], ControlTotals | None] = lambda _row: None,
) -> ReadFile:
    """Reads every row. A trailer must be the last row."""
    records: list[PaymentRecord] = []
    errors: list[LineError] = []
    sums = Sums()
    trailer: ControlTotals | None = None
    width = len(table.header)
    for done, row in enumerate(table.rows, start=1):
        if progress is not None and done % PROGRESS_EVERY == 0:
            progress(done)
        if isinstance(row, LineError):
            errors.append(row)
            continue
        if trailer is not None:
            errors.append(LineError(row.line_number, "a row after the trailer", shown(row.fields)))
            continue
        try:
            trailer = trailer_of(row)
            if trailer is None:
                records.append(_record(row, width, record_of, sums))
        except (UnreadableLineError, UnreadableAmountError) as error:
            errors.append(LineError(row.line_number, str(error), shown(row.fields)))
    return ReadFile(tuple(records), tuple(errors), sums.gross_minor_by_currency, trailer)


def identifier(name: str, text: str) -> str:
    """An id that is there, printable and bounded; surrounding blanks (a TAB against spreadsheets) fall away."""
    value = text.strip()
    if not value:
        raise UnreadableLineError(f"{name} is empty")
    if len(value) > ID_CHARACTERS_MAX or not value.isprintable():
        raise UnreadableLineError(f"{name} is longer than {ID_CHARACTERS_MAX} characters or not printable")
    return value


def optional_identifier(name: str, text: str) -> str | None:
    """The same where the field may be empty."""
    return identifier(name, text) if text.strip() else None


def _record(row: CsvRow, width: int, record_of: Callable[[CsvRow, Sums], PaymentRecord], sums: Sums) -> PaymentRecord:
    if len(row.fields) != width:
        raise UnreadableLineError(f"{len(row.fields)} fields where the header has {width}")
    return record_of(row, sums)
