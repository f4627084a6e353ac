"""What importing and reconciling need from outside; SQL stands behind them in gateway/adapters/database/repositories."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from gateway.domain.payment_records import PaymentFile, ReadFile
from gateway.domain.reconciliation.facts import Facts
from gateway.domain.reconciliation.matching import Reconciled


class Reader(Protocol):
    """A layout with its options set: bytes in, records and line errors out. Raises UnusableFile."""

    def __call__(self, content: bytes) -> ReadFile: ...


class PaymentFiles(Protocol):
    def of_content(self, brand_id: int, file_hash: str) -> list[PaymentFile]: ...
    def add(self, file: PaymentFile, content: bytes, read: ReadFile | None) -> None: ...


class ColumnMappings(Protocol):
    def latest(self, brand_id: int, name: str) -> tuple[int, str] | None: ...
    def version(self, brand_id: int, name: str, version: int) -> str | None: ...
    def add(self, brand_id: int, name: str, version: int, definition: str, at: int) -> None: ...


class ReconciliationFacts(Protocol):
    def gather(self, brand_id: int, cut_off: date) -> Facts: ...
    def head_block(self) -> int: ...


class Reconciliations(Protocol):
    def add(self, reconciliation_id: str, brand_id: int, cut_off: date, at_block: int, result: Reconciled, at: int) -> None: ...
