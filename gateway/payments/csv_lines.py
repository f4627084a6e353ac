"""A CSV file as numbered rows under a known header: decoded strictly, bounded everywhere, nothing sniffed.

A row's number is that of the physical line it starts on, as an editor shows it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.payments.record import FILE_BYTES_MAX, LineError, UnusableFile

FIELD_CHARACTERS_MAX = 4096
COLUMNS_MAX = 512
TEXT_SHOWN_MAX = 300


@dataclass(frozen=True, slots=True)
class CsvRow:
    """The fields of one row, in the order of the file."""

    line_number: int
    fields: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the rows below it; a row that could not be taken apart comes as a LineError."""

    header: list[str]
    rows: Iterator[CsvRow | LineError]

    def positions(self, wanted: list[str]) -> dict[str, int]:
        """Where the named columns stand. A missing one makes the layout unknown."""
        missing = [name for name in wanted if name not in self.header]
        if missing:
            raise UnusableFile("unknown_layout", f"the header lacks the columns {', '.join(map(repr, missing))}")
        return {name: self.header.index(name) for name in wanted}


def read_table(content: bytes, *, encoding: str, delimiter: str = ",", skip_lines: int = 0) -> Table:
    """Opens the file and reads its header."""
    if len(content) > FILE_BYTES_MAX:
        raise UnusableFile("unreadable", f"the file has {len(content)} bytes, at most {FILE_BYTES_MAX} are read")
    lines = io.StringIO(_decode(content, encoding), newline="")
    for _ in range(skip_lines):
        lines.readline()
    rows = _rows(csv.reader(lines, delimiter=delimiter, strict=True), skip_lines)
    first = next(rows, None)
    if first is None:
        raise UnusableFile("unknown_layout", "the file is empty: not even a header")
    if isinstance(first, LineError):
        raise UnusableFile("unknown_layout", f"the header on line {first.line_number} cannot be read: {first.reason}")
    if len(first.fields) > COLUMNS_MAX:
        raise UnusableFile("unknown_layout", f"the header has {len(first.fields)} columns, at most {COLUMNS_MAX} are read")
    repeated = sorted({name for name in first.fields if name and first.fields.count(name) > 1})
    if repeated:
        raise UnusableFile("unknown_layout", f"the header names a column twice: {', '.join(map(repr, repeated))}")
    return Table(first.fields, rows)


def shown(fields: list[str]) -> str:
    """A row for people, shortened, without control characters."""
    text = "".join(c if c.isprintable() else "\ufffd" for c in " | ".join(fields))
    return text if len(text) <= TEXT_SHOWN_MAX else text[: TEXT_SHOWN_MAX - 1] + "…"


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnusableFile("unreadable", f"line {line} is not {encoding}: byte {error.start} of the file cannot be decoded") from None


def _rows(reader: Iterator[list[str]], skipped: int) -> Iterator[CsvRow | LineError]:
    line_of = _LineCounter(reader, skipped)
    while True:
        starts_on = line_of.next_line
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise UnusableFile("unreadable", f"the quote opened on line {starts_on} is never closed") from None
            if "field larger" in str(error):
                raise UnusableFile("unreadable", f"a field on line {starts_on} has no end within bounds") from None
            yield LineError(starts_on, f"not well-formed CSV: {error}", "")
            continue
        if fields:
            yield _checked(starts_on, fields)


def _checked(line_number: int, fields: list[str]) -> CsvRow | LineError:
    for text in fields:
        if len(text) > FIELD_CHARACTERS_MAX:
            return LineError(line_number, f"a field has {len(text)} characters, at most {FIELD_CHARACTERS_MAX} are read", shown(fields))
        if "\0" in text:
            return LineError(line_number, "a field holds a NUL character", shown(fields))
    return CsvRow(line_number, fields)


class _LineCounter:
    """The next row's first physical line: one after the last line the reader has taken."""

    def __init__(self, reader: Iterator[list[str]], skipped: int) -> None:
        self._reader = reader
        self._skipped = skipped

    @property
    def next_line(self) -> int:
        taken: int = self._reader.line_num  # type: ignore[attr-defined]  # csv.reader has it, the protocol does not say so
        return self._skipped + taken + 1
