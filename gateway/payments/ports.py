"""What importing needs from outside; SQL stands behind it in rows.py, layouts in formats/."""

from __future__ import annotations

from typing import Protocol

from gateway.payments.record import PaymentFile, ReadFile
from gateway.values.ids import Hash


class FileReader(Protocol):
    """A layout with its options set: bytes in, records and line errors out. Raises UnusableFile."""

    def __call__(self, content: bytes) -> ReadFile: ...


class PaymentFiles(Protocol):
    def of_content(self, brand_id: int, file_hash: Hash) -> list[PaymentFile]: ...
    def add(self, file: PaymentFile, content: bytes, read: ReadFile | None) -> None: ...


class ColumnMappings(Protocol):
    def latest(self, brand_id: int, name: str) -> tuple[int, str] | None: ...
    def version(self, brand_id: int, name: str, version: int) -> str | None: ...
    def add(self, brand_id: int, name: str, version: int, definition: str, at: int) -> None: ...
