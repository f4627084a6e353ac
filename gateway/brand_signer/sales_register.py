"""The brand's own sales, against which the signer checks: a narrow port, and the register kept as a file of JSON lines.

The till appends; a line counts once its line end is there. The same record may come twice, never with other content.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from gateway.brand_signer.register_records import (
    Record,
    RegisteredCapture,
    RegisteredOpeningFile,
    RegisteredOrder,
    RegisteredPointRefund,
    RegisteredRefund,
    RegisteredRefundFailure,
    RegisteredSale,
    RegisteredVoid,
    completes,
    id_of_record,
    parse_record,
)
from gateway.ledger.opening_file import OpeningBalance, OpeningTerms, UnusableOpeningFile, read_opening_file
from gateway.ledger.signing import reference
from gateway.values.ids import Hash, MemberId, Reference


class SalesRegister(Protocol):
    """What a signer asks of a brand's own books."""

    def refresh(self) -> None: ...
    def sale(self, payment_id: str) -> RegisteredSale | None: ...
    def refunds(self, payment_id: str) -> Mapping[str, RegisteredRefund]: ...
    def order(self, order_id: str) -> RegisteredOrder | None: ...
    def point_refund(self, point_refund_id: str) -> RegisteredPointRefund | None: ...
    def capture(self, capture_id: str) -> RegisteredCapture | None: ...
    def void(self, void_id: str) -> RegisteredVoid | None: ...
    def order_under(self, reference: Reference) -> RegisteredOrder | None: ...
    def is_let_go(self, reference: Reference, member: MemberId) -> bool: ...
    def failures_of(self, payment_id: str) -> Collection[str]: ...
    def opening_file(self, source: Hash) -> tuple[OpeningTerms, Mapping[int, OpeningBalance]] | None: ...


class DamagedRegister(Exception):
    """The register cannot be trusted: a line that is no record, a record with two contents, or lines that are gone."""


class FileRegister:
    """The register as a file that only grows; `refresh` reads what was added. On the ledger orders stand under keyed references."""

    def __init__(self, path: Path, reference_secret: bytes) -> None:
        self._path = path
        self._reference_secret = reference_secret
        self._read_bytes = 0
        self._lines = 0
        self._records: dict[tuple[type[Record], str], Record] = {}
        self._orders: dict[Reference, RegisteredOrder] = {}
        self._let_go: set[tuple[Reference, MemberId]] = set()
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

    def capture(self, capture_id: str) -> RegisteredCapture | None:
        record = self._records.get((RegisteredCapture, capture_id))
        return record if isinstance(record, RegisteredCapture) else None

    def void(self, void_id: str) -> RegisteredVoid | None:
        record = self._records.get((RegisteredVoid, void_id))
        return record if isinstance(record, RegisteredVoid) else None

    def order_under(self, reference: Reference) -> RegisteredOrder | None:
        return self._orders.get(reference)

    def is_let_go(self, reference: Reference, member: MemberId) -> bool:
        return (reference, member) in self._let_go

    def failures_of(self, payment_id: str) -> Collection[str]:
        return self._failed.get(payment_id, set())

    def opening_file(self, source: Hash) -> tuple[OpeningTerms, Mapping[int, OpeningBalance]] | None:
        return self._openings.get(source)

    def _add(self, record: Record) -> None:
        key = type(record), id_of_record(record)
        before = self._records.get(key)
        if before is not None and before != record and not completes(before, record):
            raise ValueError(f"{key[1]} stands here with other content than before")
        self._records[key] = record
        match record:
            case RegisteredRefund():
                self._refunds.setdefault(record.payment_id, {})[record.refund_id] = record
            case RegisteredRefundFailure():
                self._failed.setdefault(record.payment_id, set()).add(record.refund_id)
            case RegisteredOpeningFile():
                self._openings[record.source] = record.terms, opening_balances(self._path.parent, record)
            case RegisteredOrder():
                self._orders[self._reference(record.order_id)] = record
            case RegisteredVoid():
                self._let_go.add((self._reference(record.order_id), record.member))
            case _:
                pass

    def _reference(self, order_id: str) -> Reference:
        return reference(self._reference_secret, "order", order_id)


def opening_balances(folder: Path, record: RegisteredOpeningFile) -> Mapping[int, OpeningBalance]:
    """The lines of a registered file, which stands in the register's folder. Raises ValueError where it is not the one registered."""
    path = folder / record.file_name
    try:
        read = read_opening_file(path.read_bytes(), record.terms)
    except (OSError, UnusableOpeningFile) as wrong:
        raise ValueError(f"{record.file_name} cannot be read beside the register: {wrong}") from wrong
    if read.source != record.source:
        raise ValueError(f"{record.file_name} has the SHA-256 {read.source}, registered was {record.source}")
    return read.by_line()
