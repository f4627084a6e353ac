"""The register that the signer checks against, as queries on the agent's journal: nothing is read before it is asked for.

Lines that a shop writes to a register file itself are taken over first, each once.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeVar

from gateway.brand_agent.record_lines import OtherRecord, RecordLines, by_let_go, by_order, by_payment
from gateway.brand_agent.till_journal import TillJournal
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
    parse_record,
)
from gateway.brand_signer.sales_register import DamagedRegister, opening_balances
from gateway.ledger.opening_file import OpeningBalance, OpeningTerms
from gateway.values.ids import Hash, MemberId, Reference

_AnyRecord = TypeVar("_AnyRecord", bound=Record)
_READ = "register_bytes_read"
_PIECE_BYTES = 4 * 1024 * 1024


class JournalRegister:
    """A SalesRegister."""

    def __init__(self, journal: TillJournal, lines: RecordLines, file: Path) -> None:
        self._journal = journal
        self._lines = lines
        self._file = file
        self._lock = threading.Lock()
        self._reader = journal.reader()
        self._openings: dict[Hash, tuple[OpeningTerms, Mapping[int, OpeningBalance]]] = {}

    def close(self) -> None:
        self._reader.close()

    def refresh(self) -> None:
        """Takes over the whole lines that are new in the file. Raises DamagedRegister."""
        done = self._one("SELECT value FROM facts WHERE name = ?", _READ)
        read_bytes = 0 if done is None else int(done[0])
        if not self._file.exists():
            if read_bytes:
                raise DamagedRegister(f"{self._file} is gone")
            return
        with self._file.open("rb") as stream:
            if stream.seek(0, 2) < read_bytes:
                raise DamagedRegister(f"{self._file} is shorter than it was")
            while True:
                stream.seek(read_bytes)
                piece = stream.read(_PIECE_BYTES)
                whole = piece[: piece.rfind(b"\n") + 1]
                if not whole:
                    return
                read_bytes += len(whole)
                self._take_over(whole, read_bytes)

    def sale(self, payment_id: str) -> RegisteredSale | None:
        return self._record(RegisteredSale, "sale", payment_id)

    def refunds(self, payment_id: str) -> Mapping[str, RegisteredRefund]:
        found = self._found(RegisteredRefund, "refund", by_payment(payment_id))
        return {one.refund_id: one for one in found}

    def order(self, order_id: str) -> RegisteredOrder | None:
        return self._record(RegisteredOrder, "order", order_id)

    def point_refund(self, point_refund_id: str) -> RegisteredPointRefund | None:
        return self._record(RegisteredPointRefund, "point_refund", point_refund_id)

    def capture(self, capture_id: str) -> RegisteredCapture | None:
        return self._record(RegisteredCapture, "capture", capture_id)

    def void(self, void_id: str) -> RegisteredVoid | None:
        return self._record(RegisteredVoid, "void", void_id)

    def order_under(self, reference: Reference) -> RegisteredOrder | None:
        return next(iter(self._found(RegisteredOrder, "order", by_order(reference))), None)

    def is_let_go(self, reference: Reference, member: MemberId) -> bool:
        return bool(self._found(RegisteredVoid, "void", by_let_go(reference, member)))

    def failures_of(self, payment_id: str) -> Collection[str]:
        return {one.refund_id for one in self._found(RegisteredRefundFailure, "refund_failure", by_payment(payment_id))}

    def opening_file(self, source: Hash) -> tuple[OpeningTerms, Mapping[int, OpeningBalance]] | None:
        record = self._record(RegisteredOpeningFile, "opening_file", str(source))
        if record is None:
            return None
        if source not in self._openings:
            try:
                self._openings[source] = record.terms, opening_balances(self._file.parent, record)
            except ValueError as wrong:
                raise DamagedRegister(str(wrong)) from wrong
        return self._openings[source]

    def _record(self, kind: type[_AnyRecord], name: str, record_id: str) -> _AnyRecord | None:
        row = self._one("SELECT line FROM records WHERE type = ? AND id = ?", name, record_id)
        record = None if row is None else parse_record(row[0])
        return record if isinstance(record, kind) else None

    def _found(self, kind: type[_AnyRecord], name: str, found_by: str) -> list[_AnyRecord]:
        with self._lock:
            rows = self._reader.execute("SELECT line FROM records WHERE found_by = ? AND type = ?", (found_by, name)).fetchall()
        records = [parse_record(line) for (line,) in rows]
        return [record for record in records if isinstance(record, kind)]

    def _one(self, query: str, *values: str) -> tuple[str, ...] | None:
        with self._lock:
            row: tuple[str, ...] | None = self._reader.execute(query, values).fetchone()
            return row

    def _take_over(self, whole: bytes, read_bytes: int) -> None:
        def act(connection: sqlite3.Connection) -> None:
            for line in map(bytes.decode, whole.splitlines()):  # text knows more ends of lines than JSON does
                record = parse_record(line)
                if isinstance(record, RegisteredOpeningFile):
                    opening_balances(self._file.parent, record)
                self._lines.add_line(connection, line)
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (_READ, str(read_bytes)))

        try:
            self._journal.write(act)
        except (OtherRecord, KeyError, TypeError, ValueError) as wrong:
            raise DamagedRegister(f"{self._file}, before byte {read_bytes}: {wrong}") from wrong
