"""Files of a brand that is paid through Stripe: payout-reconciliation reports (itemized), major units, gross - fee = net in every row.

A row stands in the file of its payout, two days after posting; what is not paid out at the cut-off stands in the last file, its payout
id empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from scripts.demo.generator.periods import Periods, with_repeats
from scripts.demo.generator.records import BuiltRecords, ProviderRecord, provider_id

PAYOUT_AFTER_DAYS = 2
_FEE_PER_MILLE = 27
_FEE_FIXED_MINOR = 5


@dataclass(frozen=True, slots=True)
class StripeLayout:
    """The columns that a merchant chose, in order, by their names without `_utc`; `utc_suffix` adds it to the times."""

    columns: tuple[str, ...]
    utc_suffix: bool


GROCER = StripeLayout(
    columns=(
        "automatic_payout_id",
        "automatic_payout_effective_at",
        "balance_transaction_id",
        "created",
        "available_on",
        "currency",
        "gross",
        "fee",
        "net",
        "reporting_category",
        "source_id",
        "description",
        "customer_facing_amount",
        "customer_facing_currency",
        "charge_id",
        "payment_intent_id",
        "payment_metadata[order_reference]",
    ),
    utc_suffix=True,
)
FUEL = StripeLayout(
    columns=(
        "balance_transaction_id",
        "created",
        "available_on",
        "currency",
        "gross",
        "fee",
        "net",
        "reporting_category",
        "source_id",
        "charge_id",
        "payment_intent_id",
        "automatic_payout_id",
        "automatic_payout_effective_at",
        "customer_facing_amount",
        "customer_facing_currency",
        "payment_metadata[order_reference]",
    ),
    utc_suffix=False,
)
_TIMES = ("automatic_payout_effective_at", "created", "available_on")


def record_id(seed: int, record: ProviderRecord) -> str:
    return "txn_3" + provider_id(seed, f"balance transaction {record.kind}", record.key, 23)


def file_texts(built: BuiltRecords, layout: StripeLayout, seed: int, periods: Periods, utc_offset_seconds: int) -> list[str]:
    """The text of each file in order. The times are in UTC, with or without the suffix."""
    random = Random(f"{seed}/{layout.columns}")  # noqa: S311 - reproducible, not secret
    placed = [(periods.number_of(_payout_day(record)), record) for record in built.records]
    files = with_repeats(placed, built, periods, random)
    return [_text(records, number, layout, seed, periods, utc_offset_seconds) for number, records in enumerate(files)]


def _text(
    records: Sequence[ProviderRecord], number: int, layout: StripeLayout, seed: int, periods: Periods, utc_offset_seconds: int
) -> str:
    rows = [_row(record, seed, periods.cut_off, utc_offset_seconds) for record in records]
    settled = [record for record in records if periods.number_of(_payout_day(record)) == number]
    rows += _payouts(settled, seed, periods.cut_off)
    header = [f"{name}_utc" if layout.utc_suffix and name in _TIMES else name for name in layout.columns]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([row.get(name, "") for name in layout.columns] for row in rows)
    return text.getvalue()


def _row(record: ProviderRecord, seed: int, cut_off: date, utc_offset_seconds: int) -> dict[str, str]:
    payout_day = _payout_day(record)
    gross = record.amount_minor if record.kind == "charge" else -record.amount_minor
    fee = _fee(record)
    source = "ch_3" if record.kind == "charge" else "re_3"
    currency = record.currency.lower()
    return {
        "balance_transaction_id": record_id(seed, record),
        "created": _utc(record.posted_at, utc_offset_seconds),
        "available_on": f"{payout_day} 00:00:00",
        "currency": currency,
        "gross": _major(gross),
        "fee": _major(fee),
        "net": _major(gross - fee),
        "reporting_category": record.kind,
        "source_id": source + provider_id(seed, record.kind, record.key, 23),
        "charge_id": "ch_3" + provider_id(seed, "charge", record.payment_id, 23),
        "payment_intent_id": "pi_3" + provider_id(seed, "intent", record.payment_id, 23),
        "automatic_payout_id": _payout_id(seed, record.brand, payout_day) if payout_day <= cut_off else "",
        "automatic_payout_effective_at": f"{payout_day} 00:00:00" if payout_day <= cut_off else "",
        "customer_facing_amount": _major(gross),
        "customer_facing_currency": currency,
        "payment_metadata[order_reference]": record.payment_id,
    }


def _payouts(records: Sequence[ProviderRecord], seed: int, cut_off: date) -> list[dict[str, str]]:
    """One row per payout: the net of its parts, each counted once, leaves the account."""
    once = {record.key: record for record in records}
    nets: dict[date, int] = {}
    for record in once.values():
        signed = record.amount_minor if record.kind == "charge" else -record.amount_minor
        nets[_payout_day(record)] = nets.get(_payout_day(record), 0) + signed - _fee(record)
    rows = []
    for day, net in sorted(nets.items()):
        if day <= cut_off:
            payout_id = _payout_id(seed, records[0].brand, day)
            rows.append(
                {
                    "balance_transaction_id": "txn_1" + provider_id(seed, "payout", payout_id, 23),
                    "created": f"{day} 00:00:00",
                    "available_on": f"{day} 00:00:00",
                    "currency": records[0].currency.lower(),
                    "gross": _major(-net),
                    "fee": _major(0),
                    "net": _major(-net),
                    "reporting_category": "payout",
                    "source_id": payout_id,
                    "description": "STRIPE PAYOUT",
                    "automatic_payout_id": payout_id,
                    "automatic_payout_effective_at": f"{day} 00:00:00",
                }
            )
    return rows


def _payout_id(seed: int, brand: str, day: date) -> str:
    return "po_1" + provider_id(seed, f"payout {brand}", str(day), 23)


def _payout_day(record: ProviderRecord) -> date:
    return record.posted_at.date() + timedelta(days=PAYOUT_AFTER_DAYS)


def _fee(record: ProviderRecord) -> int:
    return record.amount_minor * _FEE_PER_MILLE // 1000 + _FEE_FIXED_MINOR if record.kind == "charge" else 0


def _utc(local: datetime, utc_offset_seconds: int) -> str:
    return str(local - timedelta(seconds=utc_offset_seconds))


def _major(minor: int) -> str:
    """Major units with two decimals: the demo's currency has two."""
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"
