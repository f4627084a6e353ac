"""What a till writes down of a brand's sales, and each record's JSON line. The writer's side stands in register_writer.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from gateway.ledger.opening_file import OpeningTerms
from gateway.values.hex import with_or_without_0x
from gateway.values.ids import Hash, MemberId
from gateway.values.money import AmountMinor
from gateway.values.points import Points


@dataclass(frozen=True, slots=True)
class RegisteredSale:
    """A sale as the till knows it; amounts in minor units, `occurred_at` in Unix seconds."""

    payment_id: str
    member: MemberId | None
    gross_minor: AmountMinor
    tax_minor: AmountMinor
    paid_with_points_minor: AmountMinor
    occurred_at: int

    @property
    def paid_minor(self) -> AmountMinor:
        return AmountMinor(self.gross_minor - self.paid_with_points_minor)

    def earn_base_minor(self, earn_on_tax: bool) -> AmountMinor:
        return AmountMinor(max(0, self.paid_minor - (0 if earn_on_tax else self.tax_minor)))


@dataclass(frozen=True, slots=True)
class RegisteredRefund:
    """Money that went back for a payment."""

    refund_id: str
    payment_id: str
    amount_minor: AmountMinor


@dataclass(frozen=True, slots=True)
class RegisteredOrder:
    """An order that a member wants to pay with up to `points` points; `occurred_at` (Unix seconds) where it may keep points alive.

    `one_step`: may be redeemed at once; otherwise its points are authorized and wait for the till's capture. A line of an earlier till
    does not say: either is meant, and that till wrote no captures.
    """

    order_id: str
    member: MemberId
    points: Points
    occurred_at: int | None = None
    one_step: bool | None = None


@dataclass(frozen=True, slots=True)
class RegisteredCapture:
    """The brand takes exactly these points of what it had authorized for an order."""

    capture_id: str
    order_id: str
    member: MemberId
    points: Points


@dataclass(frozen=True, slots=True)
class RegisteredPointRefund:
    """Points that the brand decided to give back to whom they came from for an order. A line of an earlier till names neither."""

    point_refund_id: str
    points: Points
    order_id: str | None
    member: MemberId | None


@dataclass(frozen=True, slots=True)
class RegisteredVoid:
    """The brand lets go what it had authorized for an order: the member got nothing for it."""

    void_id: str
    order_id: str
    member: MemberId


@dataclass(frozen=True, slots=True)
class RegisteredRefundFailure:
    """Money that was to go back has not: the refund failed."""

    refund_id: str
    payment_id: str


@dataclass(frozen=True, slots=True)
class RegisteredOpeningFile:
    """A file of an earlier programme's balances, beside the register, with the terms under which the brand takes them over."""

    file_name: str
    terms: OpeningTerms
    source: Hash


Record = (
    RegisteredSale
    | RegisteredRefund
    | RegisteredOrder
    | RegisteredCapture
    | RegisteredPointRefund
    | RegisteredVoid
    | RegisteredRefundFailure
    | RegisteredOpeningFile
)


def parse_record(line: bytes | str) -> Record:
    """A record from its JSON line. Raises ValueError, KeyError or TypeError for what is none."""
    value = json.loads(line)
    match value["type"]:
        case "sale":
            return RegisteredSale(
                payment_id=_text(value, "payment_id"),
                member=_member(value) if value.get("member_id") is not None else None,
                gross_minor=_amount(value, "gross_minor"),
                tax_minor=_amount(value, "tax_minor"),
                paid_with_points_minor=_amount(value, "paid_with_points_minor"),
                occurred_at=_moment(value),
            )
        case "refund":
            return RegisteredRefund(_text(value, "refund_id"), _text(value, "payment_id"), _amount(value, "amount_minor"))
        case "order":
            occurred_at = _moment(value) if "occurred_at" in value else None
            what = _text(value, "order_id"), _member(value), Points(_amount(value, "points"))
            return RegisteredOrder(*what, occurred_at, _truth(value, "one_step") if "one_step" in value else None)
        case "capture":
            of = _text(value, "order_id"), _member(value)
            return RegisteredCapture(_text(value, "capture_id"), *of, Points(_amount(value, "points")))
        case "point_refund":
            named = (_text(value, "order_id"), _member(value)) if "order_id" in value else (None, None)
            return RegisteredPointRefund(_text(value, "point_refund_id"), Points(_amount(value, "points")), *named)
        case "void":
            return RegisteredVoid(_text(value, "void_id"), _text(value, "order_id"), _member(value))
        case "refund_failure":
            return RegisteredRefundFailure(_text(value, "refund_id"), _text(value, "payment_id"))
        case "opening_file":
            expires_on = date.fromisoformat(_text(value, "expires_on")) if value.get("expires_on") is not None else None
            ratio = _amount(value, "ratio_points"), _amount(value, "ratio_units")
            if 0 in ratio:
                raise ValueError("a ratio of an opening file is of whole numbers above 0")
            terms = OpeningTerms(_text(value, "programme"), *ratio, expires_on)
            return RegisteredOpeningFile(_plain_name(value, "file"), terms, Hash.parse(_text(value, "source")))
        case other:
            raise ValueError(f"no record is of the type {other!r}")


def id_of_record(record: Record) -> str:
    """One to a record of its kind."""
    match record:
        case RegisteredSale():
            return record.payment_id
        case RegisteredRefund():
            return record.refund_id
        case RegisteredOrder():
            return record.order_id
        case RegisteredCapture():
            return record.capture_id
        case RegisteredPointRefund():
            return record.point_refund_id
        case RegisteredVoid():
            return record.void_id
        case RegisteredRefundFailure():
            return record.refund_id
        case RegisteredOpeningFile():
            return str(record.source)


def completes(before: Record, record: Record) -> bool:
    """A record of an earlier till that is written again: a point refund now with its order, an order that now says its steps."""
    match record:
        case RegisteredPointRefund():
            return replace(record, order_id=None, member=None) == before
        case RegisteredOrder():
            return replace(record, one_step=None) == before
        case _:
            return False


def _text(value: Mapping[str, Any], name: str) -> str:
    if not isinstance(value[name], str) or not value[name]:
        raise TypeError(f"{name} must be a text")
    return str(value[name])


def _plain_name(value: Mapping[str, Any], name: str) -> str:
    """A file beside the register."""
    written = _text(value, name)
    if Path(written).name != written:
        raise ValueError(f"{name} must be the name of a file beside the register, without a folder")
    return written


def _amount(value: Mapping[str, Any], name: str) -> AmountMinor:
    amount = value[name]
    if isinstance(amount, bool) or not isinstance(amount, int) or amount < 0:
        raise TypeError(f"{name} must be a whole number, 0 or more")
    return AmountMinor(amount)


def _truth(value: Mapping[str, Any], name: str) -> bool:
    if not isinstance(value[name], bool):
        raise TypeError(f"{name} must be true or false")
    return bool(value[name])


def _member(value: Mapping[str, Any]) -> MemberId:
    """0x may be left out."""
    return MemberId(with_or_without_0x(_text(value, "member_id")))


def _moment(value: Mapping[str, Any]) -> int:
    moment = datetime.fromisoformat(_text(value, "occurred_at"))
    if moment.tzinfo is None:
        raise ValueError("occurred_at must carry its offset from UTC")
    return int(moment.timestamp())
