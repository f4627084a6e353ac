"""Stripe's payout reconciliation report, itemized. Columns by name in any order; amounts in major units with the currency's decimals.

On every row gross − fee = net. The merchant chose the columns: our payment reference is in one of its payment_metadata[…] columns.
Source: https://docs.stripe.com/reports/report-types/payout-reconciliation
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from gateway.payments.csv_lines import CsvRow, read_table
from gateway.payments.lines import Sums, UnreadableLineError, identifier, optional_identifier, read_rows
from gateway.payments.record import PaymentRecord, ReadFile, RecordKind, RowsRead, UnusableFile
from gateway.values.currencies import minor_from_major
from gateway.values.money import AmountMinor

LAYOUT = "stripe-payout-reconciliation"
PROVIDER = "stripe"
REFERENCE_COLUMN = "payment_metadata[order_reference]"

_REQUIRED = ["balance_transaction_id", "currency", "gross", "fee", "net", "reporting_category"]
_KINDS = {
    "charge": RecordKind.CHARGE,
    "partial_capture_reversal": RecordKind.CHARGE,
    "charge_failure": RecordKind.CHARGE,
    "refund": RecordKind.REFUND,
    "payout": RecordKind.PAYOUT,
    "payout_reversal": RecordKind.PAYOUT,
    "fee": RecordKind.FEE,
    "network_cost": RecordKind.FEE,
}
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class StripeOptions:
    """`time_zone` is the one the report was requested in (what `created` is written in; `created_utc` always is UTC);
    `business_zone` decides the business date.
    """

    business_zone: tzinfo
    time_zone: tzinfo = UTC
    reference_column: str = REFERENCE_COLUMN


def read_stripe_report(content: bytes, options: StripeOptions, progress: RowsRead | None = None) -> ReadFile:
    """Records of a report, errors by line."""
    table = read_table(content, encoding="utf-8")
    created = next((name for name in ("created_utc", "created") if name in table.header), None)
    if created is None:
        raise UnusableFile("unknown_layout", "the header lacks the column 'created_utc' or 'created'")
    at = table.positions([*_REQUIRED, created, options.reference_column])
    optional = table.positions([name for name in ("source_id", "automatic_payout_id") if name in table.header])
    zone = UTC if created == "created_utc" else options.time_zone

    def record_of(row: CsvRow, sums: Sums) -> PaymentRecord:
        fields = row.fields
        currency = fields[at["currency"]].upper()
        gross_minor = minor_from_major(fields[at["gross"]], currency)
        sums.add(currency, gross_minor)
        fee_minor = minor_from_major(fields[at["fee"]], currency)
        net_minor = minor_from_major(fields[at["net"]], currency)
        if gross_minor - fee_minor != net_minor:
            raise UnreadableLineError(f"gross {gross_minor} - fee {fee_minor} is not net {net_minor} (minor units)")
        kind = _kind(fields[at["reporting_category"]], gross_minor)
        source_id, payout_id = (
            optional_identifier(name, fields[optional[name]]) if name in optional else None for name in ("source_id", "automatic_payout_id")
        )
        moment = _moment(fields[at[created]], zone)
        return PaymentRecord(
            line_number=row.line_number,
            provider=PROVIDER,
            kind=kind,
            provider_record_id=identifier("balance_transaction_id", fields[at["balance_transaction_id"]]),
            payment_id=optional_identifier(options.reference_column, fields[at[options.reference_column]]),
            refund_id=source_id if kind is RecordKind.REFUND else None,
            currency=currency,
            gross_minor=AmountMinor(gross_minor),
            fee_minor=AmountMinor(fee_minor),
            net_minor=AmountMinor(net_minor),
            occurred_at=moment.isoformat(),
            business_date=moment.astimezone(options.business_zone).date(),
            payout_id=payout_id or (source_id if kind is RecordKind.PAYOUT else None),
        )

    return read_rows(table, record_of, progress=progress)


def _kind(category: str, gross_minor: int) -> RecordKind:
    kind = _KINDS.get(category, RecordKind.OTHER)
    if not category:
        raise UnreadableLineError("reporting_category is empty")
    if category == "charge" and gross_minor < 0:
        raise UnreadableLineError("a charge with a negative amount")
    if category == "refund" and gross_minor > 0:
        raise UnreadableLineError("a refund with a positive amount")
    return kind


def _moment(text: str, zone: tzinfo) -> datetime:
    if not _TIME.fullmatch(text):
        raise UnreadableLineError(f"{text[:40]!r} is not a time like 2019-11-30 13:05:09")
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise UnreadableLineError(f"{text[:40]!r} is not a date of the calendar") from None
