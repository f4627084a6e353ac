"""A brand's own CSV, read through its saved column mapping."""

from __future__ import annotations

from datetime import datetime

from gateway.payments.csv_lines import CsvRow, read_table
from gateway.payments.lines import Sums, UnreadableLineError, identifier, optional_identifier, read_rows
from gateway.payments.mapping import ColumnMapping, time_zone
from gateway.payments.record import ControlTotals, PaymentRecord, ReadFile, RecordKind, RowsRead, UnusableFile
from gateway.values.currencies import UnreadableAmountError, exponent_of, minor_from_major, minor_from_minor
from gateway.values.money import AmountMinor

LAYOUT_PREFIX = "mapped:"


def read_mapped_csv(content: bytes, mapping: ColumnMapping, progress: RowsRead | None = None) -> ReadFile:
    """Records of the file, errors by line, and its trailer if the mapping has a rule for one."""
    table = read_table(content, encoding=mapping.encoding, delimiter=mapping.delimiter, skip_lines=mapping.skip_lines)
    rows = _Rows(mapping, table.positions(list(mapping.columns.values())))
    read = read_rows(table, rows.record, progress=progress, trailer_of=rows.trailer)
    if mapping.trailer is not None and read.trailer is None:
        raise UnusableFile("wrong_control_total", f"the file does not end with its trailer {mapping.trailer.marker!r}: it may be cut off")
    return read


class _Rows:
    """A mapping applied to the columns of one file."""

    def __init__(self, mapping: ColumnMapping, positions: dict[str, int]) -> None:
        self._mapping = mapping
        self._at = {role: positions[name] for role, name in mapping.columns.items()}
        self._zone = time_zone(mapping.time_zone)

    def record(self, row: CsvRow, sums: Sums) -> PaymentRecord:
        mapping = self._mapping
        currency = mapping.currency or self._text(row, "currency").strip().upper()
        exponent_of(currency)
        written_minor = self._amount(row.fields[self._at["amount"]], currency)
        sums.add(currency, written_minor)
        kind = self._kind(row, written_minor)
        gross_minor = self._signed(kind, written_minor)
        fee_minor, net_minor = self._fee_and_net(row, currency, gross_minor)
        moment = self._moment(row.fields[self._at["occurred_at"]].strip())
        return PaymentRecord(
            line_number=row.line_number,
            provider=mapping.provider,
            kind=kind,
            provider_record_id=identifier("transaction_id", row.fields[self._at["transaction_id"]]),
            payment_id=optional_identifier("payment_id", row.fields[self._at["payment_id"]]),
            refund_id=optional_identifier("refund_id", self._text(row, "refund_id")) if kind is RecordKind.REFUND else None,
            currency=currency,
            gross_minor=AmountMinor(gross_minor),
            fee_minor=AmountMinor(fee_minor),
            net_minor=AmountMinor(net_minor),
            occurred_at=moment.isoformat(),
            business_date=moment.date(),
            payout_id=optional_identifier("payout_id", self._text(row, "payout_id")),
        )

    def trailer(self, row: CsvRow) -> ControlTotals | None:
        rule = self._mapping.trailer
        if rule is None or row.fields[0] != rule.marker:
            return None
        count = self._trailer_field(row, rule.count_field)
        total = self._trailer_field(row, rule.sum_field)
        if count is not None and not (count.isascii() and count.isdigit() and len(count) <= 9):
            raise UnusableFile("wrong_control_total", f"the trailer's count {count[:40]!r} is not a number")
        try:
            total_minor = None if total is None else self._amount(total, self._mapping.currency or "")
        except UnreadableAmountError as error:
            raise UnusableFile("wrong_control_total", f"the trailer's sum: {error}") from None
        return ControlTotals(row_count=None if count is None else int(count), gross_minor_total=total_minor)

    def _trailer_field(self, row: CsvRow, at: int | None) -> str | None:
        if at is None:
            return None
        if at >= len(row.fields):
            raise UnusableFile("wrong_control_total", f"the trailer on line {row.line_number} is too short")
        return row.fields[at].strip()

    def _text(self, row: CsvRow, role: str) -> str:
        at = self._at.get(role)
        return "" if at is None else row.fields[at]

    def _amount(self, text: str, currency: str) -> int:
        mapping = self._mapping
        plain = _without_symbol(text.strip(), mapping.currency_symbol)
        if mapping.grouping_mark:
            plain = _without_grouping(plain, mapping.grouping_mark, mapping.decimal_mark)
        if mapping.decimal_mark != ".":
            if "." in plain:
                raise UnreadableAmountError(f"{text[:40]!r} is not an amount with the decimal mark {mapping.decimal_mark!r}")
            plain = plain.replace(mapping.decimal_mark, ".")
        if mapping.amount_style == "minor":
            return minor_from_minor(plain, currency)
        return minor_from_major(plain, currency, short=mapping.amount_style == "major_short")

    def _kind(self, row: CsvRow, written_minor: int) -> RecordKind:
        if "type" not in self._at:
            return RecordKind.REFUND if written_minor < 0 else RecordKind.CHARGE
        text = row.fields[self._at["type"]]
        kind = self._mapping.type_values.get(text)
        if kind is None:
            raise UnreadableLineError(f"the type {text[:40]!r} is not in the mapping")
        return kind

    def _signed(self, kind: RecordKind, written_minor: int) -> int:
        if kind is RecordKind.CHARGE and written_minor < 0:
            raise UnreadableLineError("a charge with a negative amount")
        if self._mapping.refund_sign == "positive":
            if written_minor < 0 and kind in (RecordKind.REFUND, RecordKind.PAYOUT):
                raise UnreadableLineError(f"a {kind} with a negative amount, where the mapping says they are written positive")
            return -written_minor if kind in (RecordKind.REFUND, RecordKind.PAYOUT) else written_minor
        if kind is RecordKind.REFUND and written_minor > 0:
            raise UnreadableLineError("a refund with a positive amount, where the mapping says they are written negative")
        return written_minor

    def _fee_and_net(self, row: CsvRow, currency: str, gross_minor: int) -> tuple[int, int]:
        fee_text, net_text = self._text(row, "fee").strip(), self._text(row, "net").strip()
        fee_minor = self._amount(fee_text, currency) if fee_text else None
        net_minor = self._amount(net_text, currency) if net_text else None
        if net_minor is None:
            return fee_minor or 0, gross_minor - (fee_minor or 0)
        if fee_minor is not None and gross_minor - fee_minor != net_minor:
            raise UnreadableLineError(f"gross {gross_minor} - fee {fee_minor} is not net {net_minor} (minor units)")
        return gross_minor - net_minor, net_minor

    def _moment(self, text: str) -> datetime:
        try:
            moment = datetime.strptime(text[:64], self._mapping.date_format)  # noqa: DTZ007 - the zone follows
        except ValueError:
            raise UnreadableLineError(f"{text[:40]!r} is not a date written like {self._mapping.date_format}") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=self._zone)


def _without_symbol(text: str, symbol: str) -> str:
    """`$ 1,234.50`, `-$5.00`, `$-5.00` and `5.00 $` without their symbol; a text without the symbol is as good."""
    sign, rest = ("-", text[1:].lstrip()) if text.startswith("-") else ("", text)
    if symbol:
        rest = (rest.removeprefix(symbol) if rest.startswith(symbol) else rest.removesuffix(symbol)).strip()
        if not sign and rest.startswith("-"):
            sign, rest = "-", rest[1:]
    return sign + rest


def _without_grouping(text: str, mark: str, decimal_mark: str) -> str:
    """`1,234,567.50` without its marks, which must stand every three digits if there are any."""
    whole, _, _ = text.partition(decimal_mark)
    first, *groups = whole.lstrip("-").split(mark)
    if groups and not (1 <= len(first) <= 3 and all(len(group) == 3 and group.isdigit() for group in groups)):
        raise UnreadableAmountError(f"{text[:40]!r} is not grouped by {mark!r} every three digits")
    return text.replace(mark, "") if mark not in text.partition(decimal_mark)[2] else text
