"""Payment records: the lines of a merchant's or provider's file, and the file they came in.

Records are never de-duplicated by content: real files hold identical rows. Intake key: file and line. Business key: provider, provider
record id, kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.values.errors import Invalid
from gateway.values.ids import Hash
from gateway.values.money import AmountMinor

FILE_BYTES_MAX = 64 * 1024 * 1024

RowsRead = Callable[[int], None]
"""Called now and then with the number of rows read so far."""


class RecordKind(StrEnum):
    """What a record is about. `other` takes part in payouts only."""

    CHARGE = "charge"
    REFUND = "refund"
    PAYOUT = "payout"
    FEE = "fee"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """One line. Amounts are minor units as the merchant's balance with the provider sees them: refunds and payouts are negative.

    `occurred_at` is ISO 8601 with its offset; `refund_id` is the merchant's or provider's id of the refund where the layout has one.
    """

    line_number: int
    provider: str
    kind: RecordKind
    provider_record_id: str
    payment_id: str | None
    refund_id: str | None
    currency: str
    gross_minor: AmountMinor
    fee_minor: AmountMinor
    net_minor: AmountMinor
    occurred_at: str
    business_date: date
    payout_id: str | None

    @property
    def business_key(self) -> tuple[str, str, RecordKind]:
        return (self.provider, self.provider_record_id, self.kind)


@dataclass(frozen=True, slots=True)
class LineError:
    """A line that could not be used, by the number of the line it starts on."""

    line_number: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """What the sender or the file's own trailer says the file holds: data lines, and the sum of the gross column as written."""

    row_count: int | None = None
    gross_minor_total: int | None = None


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a reader made of a file. `gross_minor_by_currency` is the amount column as written, also of lines that are wrong elsewhere."""

    records: tuple[PaymentRecord, ...]
    errors: tuple[LineError, ...]
    gross_minor_by_currency: dict[str, int]
    trailer: ControlTotals | None = None

    @property
    def row_count(self) -> int:
        return len(self.records) + len(self.errors)


class FileStatus(StrEnum):
    """A refused file is kept and marked, and none of its rows is used."""

    IMPORTED = "imported"
    IMPORTED_WITH_ERRORS = "imported_with_errors"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PaymentFile:
    """A file as it was kept. `terms` is JSON: the layout's options and the control totals it came with.

    row_count = record_count + error_count, unless the file was refused.
    """

    payment_file_id: str
    brand_id: int
    file_name: str
    file_hash: Hash
    layout: str
    terms: str
    status: FileStatus
    reason: str | None
    row_count: int
    record_count: int
    error_count: int
    created_at: int


class UnusableFile(Exception):
    """No row of the file may be used. `code`: unknown_layout, unreadable, wrong_control_total."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class PaymentFileRefused(Invalid):
    """The file was kept and marked, none of its rows is used."""

    code = "payment_file_refused"


def check_control_totals(read: ReadFile, stated: ControlTotals) -> None:
    """The trailer's and the sender's totals must both be those of the lines, or the file is unusable."""
    _check_totals(read, "sender", stated)
    if read.trailer is not None:
        _check_totals(read, "trailer", read.trailer)


def _check_totals(read: ReadFile, source: str, stated: ControlTotals) -> None:
    if stated.row_count is not None and stated.row_count != read.row_count:
        raise UnusableFile("wrong_control_total", f"the {source} says {stated.row_count} rows, the file has {read.row_count}")
    if stated.gross_minor_total is None:
        return
    sums = read.gross_minor_by_currency
    if len(sums) > 1:
        raise UnusableFile("wrong_control_total", f"the {source} gives one gross total, but the file has {len(sums)} currencies")
    found = sum(sums.values())
    if found != stated.gross_minor_total:
        broken = f" ({len(read.errors)} lines could not be read)" if read.errors else ""
        raise UnusableFile(
            "wrong_control_total",
            f"the {source} says a gross total of {stated.gross_minor_total} minor units, the lines sum to {found}{broken}",
        )
