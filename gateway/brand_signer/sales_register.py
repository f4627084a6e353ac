"""The brand's own sales, against which the signer checks: a narrow port, and the register kept as a file of JSON lines.

The till appends; a line counts once its line end is there. The same record may come twice, never with other content.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from gateway.ledger.opening_file import OpeningBalance, OpeningTerms, UnusableOpeningFile, read_opening_file
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
    """An order that a member wants to pay with up to `points` points; `occurred_at` (Unix seconds) where it may keep points alive."""

    order_id: str
    member: MemberId
    points: Points
    occurred_at: int | None = None


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
    | RegisteredPointRefund
    | RegisteredVoid
    | RegisteredRefundFailure
    | RegisteredOpeningFile
)


class SalesRegister(Protocol):
    """What a signer asks of a brand's own books."""

    def refresh(self) -> None: ...
    def sale(self, payment_id: str) -> RegisteredSale | None: ...
    def refunds(self, payment_id: str) -> Mapping[str, RegisteredRefund]: ...
    def order(self, order_id: str) -> RegisteredOrder | None: ...
    def point_refund(self, point_refund_id: str) -> RegisteredPointRefund | None: ...
    def void(self, void_id: str) -> RegisteredVoid | None: ...
    def failures_of(self, payment_id: str) -> Collection[str]: ...
    def opening_file(self, source: Hash) -> tuple[OpeningTerms, Mapping[int, OpeningBalance]] | None: ...


class DamagedRegister(Exception):
    """The register cannot be trusted: a line that is no record, a record with two contents, or lines that are gone."""


class FileRegister:
    """The register as a file that only grows; `refresh` reads what was added."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_bytes = 0
        self._lines = 0
        self._records: dict[tuple[type[Record], str], Record] = {}
        self._refunds: dict[str, dict[str, RegisteredRefund]] = {}
        self._failed: dict[str, set[str]] = {}
        self._openings: dict[Hash, tuple[OpeningTerms, Mapping[int, OpeningBalance]]] = {}

    def refresh(self) -> None:
        """Reads the whole lines that are new. Raises DamagedRegister."""
        if not self._path.exists():
            if self._read_bytes:
                raise DamagedRegister(f"{self._path} is gone")
            return
        with self._path.open("rb") as stream:
            if stream.seek(0, 2) < self._read_bytes:
                raise DamagedRegister(f"{self._path} is shorter than it was")
            stream.seek(self._read_bytes)
            added = stream.read()
        whole = added[: added.rfind(b"\n") + 1]
        for line in whole.splitlines():
            self._lines += 1
            try:
                self._add(parse_record(line))
            except (KeyError, TypeError, ValueError) as wrong:
                raise DamagedRegister(f"{self._path}, line {self._lines}: {wrong}") from wrong
            self._read_bytes += len(line) + 1

    def sale(self, payment_id: str) -> RegisteredSale | None:
        record = self._records.get((RegisteredSale, payment_id))
        return record if isinstance(record, RegisteredSale) else None

    def refunds(self, payment_id: str) -> Mapping[str, RegisteredRefund]:
        return self._refunds.get(payment_id, {})

    def order(self, order_id: str) -> RegisteredOrder | None:
        record = self._records.get((RegisteredOrder, order_id))
        return record if isinstance(record, RegisteredOrder) else None

    def point_refund(self, point_refund_id: str) -> RegisteredPointRefund | None:
        record = self._records.get((RegisteredPointRefund, point_refund_id))
        return record if isinstance(record, RegisteredPointRefund) else None

    def void(self, void_id: str) -> RegisteredVoid | None:
        record = self._records.get((RegisteredVoid, void_id))
        return record if isinstance(record, RegisteredVoid) else None

    def failures_of(self, payment_id: str) -> Collection[str]:
        return self._failed.get(payment_id, set())

    def opening_file(self, source: Hash) -> tuple[OpeningTerms, Mapping[int, OpeningBalance]] | None:
        return self._openings.get(source)

    def _add(self, record: Record) -> None:
        key = type(record), _id_of(record)
        before = self._records.get(key)
        if before is not None and before != record and not _completes(before, record):
            raise ValueError(f"{key[1]} stands here with other content than before")
        self._records[key] = record
        if isinstance(record, RegisteredRefund):
            self._refunds.setdefault(record.payment_id, {})[record.refund_id] = record
        if isinstance(record, RegisteredRefundFailure):
            self._failed.setdefault(record.payment_id, set()).add(record.refund_id)
        if isinstance(record, RegisteredOpeningFile):
            self._openings[record.source] = record.terms, self._read_opening_file(record)

    def _read_opening_file(self, record: RegisteredOpeningFile) -> Mapping[int, OpeningBalance]:
        """Raises ValueError where the file is not the one that was registered."""
        path = self._path.parent / record.file_name
        try:
            read = read_opening_file(path.read_bytes(), record.terms)
        except (OSError, UnusableOpeningFile) as wrong:
            raise ValueError(f"{record.file_name} cannot be read beside the register: {wrong}") from wrong
        if read.source != record.source:
            raise ValueError(f"{record.file_name} has the SHA-256 {read.source}, registered was {record.source}")
        return read.by_line()


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
            return RegisteredOrder(_text(value, "order_id"), _member(value), Points(_amount(value, "points")), occurred_at)
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


def _id_of(record: Record) -> str:
    match record:
        case RegisteredSale():
            return record.payment_id
        case RegisteredRefund():
            return record.refund_id
        case RegisteredOrder():
            return record.order_id
        case RegisteredPointRefund():
            return record.point_refund_id
        case RegisteredVoid():
            return record.void_id
        case RegisteredRefundFailure():
            return record.refund_id
        case RegisteredOpeningFile():
            return str(record.source)


def _completes(before: Record, record: Record) -> bool:
    """A point refund of an earlier till that is written again, now with its order."""
    return isinstance(record, RegisteredPointRefund) and replace(record, order_id=None, member=None) == before


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


def _member(value: Mapping[str, Any]) -> MemberId:
    """0x may be left out."""
    return MemberId(with_or_without_0x(_text(value, "member_id")))


def _moment(value: Mapping[str, Any]) -> int:
    moment = datetime.fromisoformat(_text(value, "occurred_at"))
    if moment.tzinfo is None:
        raise ValueError("occurred_at must carry its offset from UTC")
    return int(moment.timestamp())
