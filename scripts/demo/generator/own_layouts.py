"""Files of the two brands that export CSVs of their own: each its own delimiter, times, amounts, names and sign of refunds."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from scripts.demo.generator.periods import Periods, by_posting, with_repeats
from scripts.demo.generator.records import BuiltRecords, ProviderRecord, provider_id


@dataclass(frozen=True, slots=True)
class OwnLayout:
    """A brand's own layout; `row` gives the values of `header` for a record and its id. Times are local."""

    delimiter: str
    header: tuple[str, ...]
    record_id: Callable[[int, ProviderRecord], str]
    row: Callable[[int, ProviderRecord], tuple[str, ...]]


def file_texts(built: BuiltRecords, layout: OwnLayout, seed: int, periods: Periods) -> list[str]:
    """The text of each file in order."""
    random = Random(f"{seed}/{layout.header}")  # noqa: S311 - reproducible, not secret
    placed = [(by_posting(record, periods, random), record) for record in built.records]
    return [_text(records, layout, seed) for records in with_repeats(placed, built, periods, random)]


def _text(records: Sequence[ProviderRecord], layout: OwnLayout, seed: int) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=layout.delimiter, lineterminator="\r\n")
    writer.writerow(layout.header)
    writer.writerows(layout.row(seed, record) for record in records)
    return text.getvalue()


def _drugstore_id(seed: int, record: ProviderRecord) -> str:
    return provider_id(seed, f"drugstore {record.kind}", record.key, 12, "123456789")


def _drugstore_row(seed: int, record: ProviderRecord) -> tuple[str, ...]:
    """Decimal comma, never a sign: the type says which way the money went. A refund carries the till's refund id."""
    refund_id = record.key if record.kind == "refund" else ""
    amount = f"{record.amount_minor // 100},{record.amount_minor % 100:02d}"
    kind = "SALE" if record.kind == "charge" else "REFUND"
    booked = f"{record.posted_at:%d.%m.%Y %H:%M:%S}"
    return (_drugstore_id(seed, record), booked, kind, amount, record.currency, record.payment_id, refund_id)


def _deli_id(seed: int, record: ProviderRecord) -> str:
    return "D-" + provider_id(seed, f"deli {record.kind}", record.key, 10, "0123456789ABCDEF")


def _deli_row(seed: int, record: ProviderRecord) -> tuple[str, ...]:
    """Whole cents, a refund is negative, the month first."""
    cents = record.amount_minor if record.kind == "charge" else -record.amount_minor
    posted = f"{record.posted_at:%m/%d/%Y %H:%M}"
    return (record.payment_id, str(cents), record.currency, posted, _deli_id(seed, record))


DRUGSTORE = OwnLayout(
    delimiter=";",
    header=("Transaction No", "Booked", "Type", "Amount", "Currency", "Order Ref", "Refund Ref"),
    record_id=_drugstore_id,
    row=_drugstore_row,
)
DELI = OwnLayout(
    delimiter="|",
    header=("receipt", "cents", "currency", "posted", "txn_id"),
    record_id=_deli_id,
    row=_deli_row,
)
