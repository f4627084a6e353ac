"""A file of an earlier programme's balances, read alike by the gateway and by the brand's signer.

CSV with the columns member_id, balance and, where balances expire, expires_on (ISO date). A balance becomes floor(balance x ratio)
points; a lot ends with the month its date is in.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from gateway.values.calendar import month_end
from gateway.values.hex import BadHex, with_or_without_0x
from gateway.values.ids import Hash, MemberId, sha256
from gateway.values.points import MAX_POINTS_PER_ENTRY, Points

OPENING_FILE_BYTES_MAX = 8 * 2**20
OPENING_ROWS_MAX = 50_000
BALANCE_MAX = 10**15
RATIO_MAX = 2**32 - 1
_DIGITS_MAX = 18
_FIELD_CHARACTERS_MAX = 200
_COLUMNS = ("member_id", "balance")
_EXPIRY = "expires_on"
_EPOCH = date(1970, 1, 1)


class UnusableOpeningFile(Exception):
    """Nothing of the file can be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class OpeningTerms:
    """`ratio_points` for every `ratio_units` of the earlier programme, whose name keeps its balances apart from another one's.

    `expires_on` is for rows that name no date.
    """

    programme: str
    ratio_points: int
    ratio_units: int
    expires_on: date | None

    def points_for(self, units: int) -> Points:
        return Points(units * self.ratio_points // self.ratio_units)


@dataclass(frozen=True, slots=True)
class OpeningBalance:
    """One row; `line_number` as an editor shows it."""

    line_number: int
    member: MemberId
    units: int
    expiry_day: int


@dataclass(frozen=True, slots=True)
class OpeningLineError:
    line_number: int
    reason: str


@dataclass(frozen=True, slots=True)
class OpeningFile:
    """The rows that can be used, and the lines that cannot; `source` is the file's SHA-256."""

    source: Hash
    rows: tuple[OpeningBalance, ...]
    errors: tuple[OpeningLineError, ...]

    def by_line(self) -> dict[int, OpeningBalance]:
        return {one.line_number: one for one in self.rows}


def read_opening_file(content: bytes, terms: OpeningTerms) -> OpeningFile:
    """Every line is either a balance or an error. Raises UnusableOpeningFile."""
    if len(content) > OPENING_FILE_BYTES_MAX:
        raise UnusableOpeningFile(f"the file has {len(content)} bytes, at most {OPENING_FILE_BYTES_MAX} are read: send it in parts")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableOpeningFile(f"byte {error.start} is not UTF-8: export the file as UTF-8") from None
    balances: list[OpeningBalance] = []
    errors: list[OpeningLineError] = []
    seen: dict[tuple[MemberId, int], int] = {}
    for line_number, fields in _rows(text):
        if len(balances) + len(errors) >= OPENING_ROWS_MAX:
            raise UnusableOpeningFile(f"the file has more than {OPENING_ROWS_MAX} rows: send it in parts")
        try:
            one = _balance(line_number, fields, terms)
        except ValueError as wrong:
            errors.append(OpeningLineError(line_number, str(wrong)))
            continue
        first = seen.setdefault((one.member, one.expiry_day), line_number)
        if first != line_number:
            errors.append(OpeningLineError(line_number, f"this member and month of expiry stand on line {first} already: add them up"))
        else:
            balances.append(one)
    return OpeningFile(sha256(content), tuple(balances), tuple(errors))


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, str] | None]]:
    """(line number, fields by column; None where the row has not as many as the header)."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if not set(_COLUMNS) <= set(header) or len(header) != len(set(header)):
            raise UnusableOpeningFile(
                f"the first line must name the columns {', '.join(_COLUMNS)} and, where balances expire, {_EXPIRY}, each once"
            )
        while True:
            line_number = reader.line_num + 1
            fields = next(reader, None)
            if fields is None:
                return
            if fields:
                yield line_number, dict(zip(header, fields, strict=True)) if len(fields) == len(header) else None
    except csv.Error as error:
        raise UnusableOpeningFile(f"line {reader.line_num} is no CSV: {error}") from None


def _balance(line_number: int, fields: Mapping[str, str] | None, terms: OpeningTerms) -> OpeningBalance:
    """Raises ValueError with what is wrong with the line."""
    if fields is None:
        raise ValueError("the line has not as many fields as the header")
    if any(len(text) > _FIELD_CHARACTERS_MAX for text in fields.values()):
        raise ValueError(f"a field has more than {_FIELD_CHARACTERS_MAX} characters")
    try:
        member = MemberId(with_or_without_0x(fields["member_id"].strip()))
    except (BadHex, ValueError):
        raise ValueError("member_id is not a member's id: 40 hex digits") from None
    written = fields["balance"].strip()
    if not (written.isascii() and written.isdigit() and len(written) <= _DIGITS_MAX and int(written) <= BALANCE_MAX):
        raise ValueError(f"balance must be a whole number from 0 to {BALANCE_MAX}")
    balance = int(written)
    if not terms.points_for(balance):
        raise ValueError(f"a balance of {balance} is worth less than one point")
    if terms.points_for(balance) > MAX_POINTS_PER_ENTRY:
        raise ValueError(f"a balance of {balance} is worth more than {MAX_POINTS_PER_ENTRY} points, the most that one entry may give")
    return OpeningBalance(line_number, member, balance, _expiry_day(fields.get(_EXPIRY, "").strip(), terms))


def _expiry_day(written: str, terms: OpeningTerms) -> int:
    """The end of the month that the date is in."""
    try:
        last = date.fromisoformat(written) if written else terms.expires_on
    except ValueError:
        raise ValueError("expires_on is not a date: write it as 2027-03-31") from None
    if last is None:
        raise ValueError("the line has no expires_on, and none was named for lines without")
    if not 1971 <= last.year <= 9_000:
        raise ValueError("expires_on must lie between the years 1971 and 9000")
    return month_end((last - _EPOCH).days)
