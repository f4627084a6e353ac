"""A saved column mapping: how a brand's own CSV layout is read. It is checked in full when it is saved, so that reading can trust it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from gateway.payments.record import RecordKind
from gateway.values.currencies import EXPONENTS
from gateway.values.errors import Invalid

REQUIRED_COLUMNS = ("transaction_id", "payment_id", "occurred_at", "amount")
OPTIONAL_COLUMNS = ("type", "currency", "fee", "net", "payout_id", "refund_id")
ENCODINGS = ("utf-8", "utf-16", "latin-1", "cp1252", "gb18030", "gbk", "big5", "shift_jis", "euc_kr", "ascii")
AMOUNT_STYLES = ("major", "major_short", "minor")
_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class TrailerRule:
    """The last line begins with `marker`; fields are counted from 0. The sum is written like the amounts."""

    marker: str
    count_field: int | None
    sum_field: int | None


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """`refund_sign` says how refunds (and payouts) are written: negative, or positive with the type telling.

    `amount_style`: major (exactly the currency's decimals), major_short (fewer allowed), minor (whole minor units).
    """

    provider: str
    delimiter: str
    encoding: str
    decimal_mark: str
    grouping_mark: str
    currency_symbol: str
    amount_style: str
    date_format: str
    time_zone: str
    columns: Mapping[str, str]
    currency: str | None
    type_values: Mapping[str, RecordKind]
    refund_sign: str
    skip_lines: int
    trailer: TrailerRule | None


def column_mapping(definition: object, *, name: str) -> ColumnMapping:
    """The mapping a JSON definition describes; refuses anything it does not understand."""
    fields = _object(definition, "the mapping")
    unknown = sorted(set(fields) - set(ColumnMapping.__slots__))
    if unknown:
        raise Invalid(f"the mapping has unknown keys: {', '.join(unknown)}")
    columns = _columns(fields)
    type_values = _type_values(fields, columns)
    mapping = ColumnMapping(
        provider=_text(fields, "provider", default=name),
        delimiter=_text(fields, "delimiter", default=","),
        encoding=_one_of(fields, "encoding", ENCODINGS, default="utf-8"),
        decimal_mark=_one_of(fields, "decimal_mark", (".", ","), default="."),
        grouping_mark=_one_of(fields, "grouping_mark", ("", ",", ".", " ", "'", "\u00a0", "\u202f"), default=""),
        currency_symbol=_text(fields, "currency_symbol", default=""),
        amount_style=_one_of(fields, "amount_style", AMOUNT_STYLES, default="major"),
        date_format=_text(fields, "date_format"),
        time_zone=_text(fields, "time_zone", default="UTC"),
        columns=columns,
        currency=_currency(fields, columns),
        type_values=type_values,
        refund_sign=_one_of(fields, "refund_sign", ("negative", "positive"), default="negative"),
        skip_lines=_whole(fields.get("skip_lines", 0), "skip_lines", most=100),
        trailer=_trailer(fields),
    )
    _check_together(mapping)
    return mapping


def time_zone(name: str) -> tzinfo:
    """UTC, an offset like +08:00, or an IANA name."""
    if name == "UTC":
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset:
        size = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-size if offset[1] == "-" else size)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(f"unknown time zone {name[:64]!r}: write UTC, an offset like +08:00, or an IANA name") from None


def _check_together(mapping: ColumnMapping) -> None:
    if len(mapping.delimiter) != 1 or mapping.delimiter in '"\r\n\0':
        raise Invalid("the delimiter must be one character, and no quote or line end")
    if mapping.decimal_mark == mapping.grouping_mark:
        raise Invalid("decimal mark and grouping mark are the same: amounts could be read in two ways")
    if len(mapping.currency_symbol) > 8 or any(c in "0123456789-" + mapping.decimal_mark for c in mapping.currency_symbol):
        raise Invalid("the currency symbol may not contain digits, a minus or the decimal mark")
    if mapping.amount_style == "minor" and mapping.grouping_mark:
        raise Invalid("minor units are written without a grouping mark")
    if not mapping.type_values and mapping.refund_sign == "positive":
        raise Invalid("refunds written as positive amounts need a type column that tells them from charges")
    if mapping.trailer is not None and mapping.trailer.sum_field is not None and mapping.currency is None:
        raise Invalid("a trailer with a sum needs one constant currency")
    time_zone(mapping.time_zone)
    codecs.lookup(mapping.encoding)
    try:
        sample = datetime(2019, 11, 30, 13, 5, 9, tzinfo=UTC)
        read = datetime.strptime(sample.strftime(mapping.date_format), mapping.date_format)  # noqa: DTZ007 - a dry run of the format
    except (ValueError, re.error):
        raise Invalid(f"the date format {mapping.date_format[:64]!r} cannot be read back") from None
    if read.date() != sample.date():
        raise Invalid(f"the date format {mapping.date_format[:64]!r} does not hold a whole date with a four-digit year")


def _object(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise Invalid(f"{what} must be a JSON object")
    return value


def _text(fields: dict[str, object], key: str, *, default: str | None = None) -> str:
    value = fields.get(key, default)
    if not isinstance(value, str) or len(value) > 128 or "\0" in value or (value == "" and default is None):
        raise Invalid(f"{key} must be a text of 1 to 128 characters")
    return value


def _one_of(fields: dict[str, object], key: str, allowed: tuple[str, ...], *, default: str) -> str:
    value = fields.get(key, default)
    if not isinstance(value, str) or value not in allowed:
        raise Invalid(f"{key} must be one of {', '.join(map(repr, allowed))}")
    return value


def _whole(value: object, key: str, *, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise Invalid(f"{key} must be a whole number from 0 to {most}")
    return value


def _columns(fields: dict[str, object]) -> dict[str, str]:
    columns = _object(fields.get("columns"), "columns")
    unknown = sorted(set(columns) - set(REQUIRED_COLUMNS) - set(OPTIONAL_COLUMNS))
    if unknown:
        raise Invalid(f"columns has unknown names: {', '.join(unknown)}")
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if missing:
        raise Invalid(f"columns must name the column of: {', '.join(missing)}")
    named = {role: _text(columns, role) for role in columns}
    if len(set(named.values())) != len(named) and named["transaction_id"] in [v for k, v in named.items() if k != "transaction_id"]:
        raise Invalid("the transaction id needs a column of its own")
    return named


def _type_values(fields: dict[str, object], columns: dict[str, str]) -> dict[str, RecordKind]:
    values = _object(fields.get("type_values", {}), "type_values")
    if ("type" in columns) != bool(values):
        raise Invalid("a type column and type_values come together")
    kinds = {kind.value: kind for kind in RecordKind}
    for text, kind in values.items():
        if not isinstance(kind, str) or kind not in kinds:
            raise Invalid(f"type_values: {text[:64]!r} must be one of {', '.join(kinds)}")
    return {text: kinds[str(kind)] for text, kind in values.items()}


def _currency(fields: dict[str, object], columns: dict[str, str]) -> str | None:
    constant = fields.get("currency")
    if (constant is None) == ("currency" not in columns):
        raise Invalid("the currency is either a column or a constant, one of the two")
    if constant is not None and (not isinstance(constant, str) or constant not in EXPONENTS):
        raise Invalid("currency must be an ISO 4217 code in capitals")
    return constant


def _trailer(fields: dict[str, object]) -> TrailerRule | None:
    if fields.get("trailer") is None:
        return None
    rule = _object(fields["trailer"], "trailer")
    if set(rule) - {"marker", "count_field", "sum_field"} or not {"count_field", "sum_field"} & set(rule):
        raise Invalid("a trailer has a marker, and a count_field or a sum_field or both")
    count, total = rule.get("count_field"), rule.get("sum_field")
    return TrailerRule(
        marker=_text(rule, "marker"),
        count_field=None if count is None else _whole(count, "count_field", most=500),
        sum_field=None if total is None else _whole(total, "sum_field", most=500),
    )
