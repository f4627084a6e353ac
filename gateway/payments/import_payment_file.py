"""Import a payment file: read it outside any unit of work, then keep all of it in one. A file is used wholly or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.payments.ports import FileReader, PaymentFiles
from gateway.payments.record import FILE_BYTES_MAX, ControlTotals, FileStatus, PaymentFile, ReadFile, UnusableFile, check_control_totals
from gateway.values.errors import Invalid, ReferenceReused, TooLarge
from gateway.values.ids import Hash, sha256

FILE_NAME_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class PaymentFileImport:
    """What a brand sends. `options` are the layout's, already in effect in the reader; they are part of the request's content."""

    brand_id: int
    file_name: str
    content: bytes
    layout: str
    options: Mapping[str, str]
    stated: ControlTotals

    @property
    def file_hash(self) -> Hash:
        return sha256(self.content)

    @property
    def terms(self) -> str:
        """Layout, options and control totals as canonical JSON."""
        terms = {
            "layout": self.layout,
            "options": dict(self.options),
            "expected_rows": self.stated.row_count,
            "expected_gross_minor": self.stated.gross_minor_total,
        }
        return json.dumps(terms, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class ReadImport:
    """A file that was read: its rows, or the reason why none is used."""

    request: PaymentFileImport
    read: ReadFile | None
    reason: str | None


def read_payment_file(request: PaymentFileImport, *, reader: FileReader) -> ReadImport:
    """Reads and checks the whole file. Needs no database and may take seconds."""
    if len(request.content) > FILE_BYTES_MAX:
        raise TooLarge(f"a payment file has at most {FILE_BYTES_MAX} bytes", bytes=len(request.content))
    if not 1 <= len(request.file_name) <= FILE_NAME_CHARACTERS_MAX or not request.file_name.isprintable():
        raise Invalid(f"a file name has 1 to {FILE_NAME_CHARACTERS_MAX} printable characters", field="file_name")
    try:
        read = reader(request.content)
        check_control_totals(read, request.stated)
    except UnusableFile as unusable:
        return ReadImport(request, None, f"{unusable.code}: {unusable.message}")
    return ReadImport(request, read, None)


def keep_payment_file(item: ReadImport, *, files: PaymentFiles, payment_file_id: str, now: int) -> PaymentFile:
    """The file as kept; the same file under the same terms is the first result again.

    A refused file may come again under other terms (the right layout, the right totals); a used one may not.
    """
    request, read = item.request, item.read
    for earlier in files.of_content(request.brand_id, request.file_hash):
        if earlier.terms == request.terms:
            return earlier
        if earlier.status is not FileStatus.REFUSED:
            raise ReferenceReused(
                f"this file was imported before as {earlier.payment_file_id}, under another layout, options or control totals",
                payment_file_id=earlier.payment_file_id,
            )
    file = PaymentFile(
        payment_file_id=payment_file_id,
        brand_id=request.brand_id,
        file_name=request.file_name,
        file_hash=request.file_hash,
        layout=request.layout,
        terms=request.terms,
        status=_status(read),
        reason=item.reason,
        row_count=0 if read is None else read.row_count,
        record_count=0 if read is None else len(read.records),
        error_count=0 if read is None else len(read.errors),
        created_at=now,
    )
    files.add(file, request.content, read)
    return file


def _status(read: ReadFile | None) -> FileStatus:
    if read is None:
        return FileStatus.REFUSED
    return FileStatus.IMPORTED_WITH_ERRORS if read.errors else FileStatus.IMPORTED
