"""What was signed, found by key: an index (SQLite) beside the signer's journal, so that opening reads only what is new in it.

The journal is the truth: an index that is gone, damaged or of another journal is made anew from it, and nothing is lost with one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from gateway.brand_signer.signed_state import K, SignedIssue, SignedReservation, SignedState, V
from gateway.ledger.entries import decode_entry
from gateway.ledger.framing import unpack_entries
from gateway.ledger.signing import Domain
from gateway.secret_files import make_private_file
from gateway.values.ids import MemberId, Reference
from gateway.values.points import Points

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS noted (notes TEXT NOT NULL, key BLOB NOT NULL, value NOT NULL, PRIMARY KEY (notes, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (number INTEGER PRIMARY KEY, start INTEGER NOT NULL, length INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS reached (only INTEGER PRIMARY KEY CHECK (only = 1), bytes INTEGER NOT NULL, last_line BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Reached:
    """How much of the journal is in the index, and the hash of the last line of it."""

    end: int
    last_line: bytes


class SignedIndex:
    """One thread at a time."""

    def __init__(self, path: Path, domain: Domain, brand_id: int) -> None:
        make_private_file(path)
        self._connection = _opened(path)
        within = self._connection
        references = _StoredNotes(within, "reference", bytes, int, int)
        issues = _StoredNotes(within, "issue", bytes, _issue_text, _issue)
        clawed_back = _StoredNotes(within, "clawed_back", bytes, json.dumps, _by_day)
        taken_by = _StoredNotes(within, "taken_by", bytes, int, int)
        issue_at = _StoredNotes(within, "issue_at", _place_key, bytes, Reference)
        reservations = _StoredNotes(within, "reservation", bytes, _reservation_text, _reservation)
        self._notes: tuple[_StoredNotes[Any, Any], ...] = references, issues, clawed_back, taken_by, issue_at, reservations
        self.state = SignedState(domain, brand_id, references, issues, clawed_back, taken_by, issue_at, reservations)

    @property
    def reached(self) -> Reached:
        row = self._connection.execute("SELECT bytes, last_line FROM reached").fetchone()
        return Reached(0, b"") if row is None else Reached(*row)

    def place_of(self, number: int) -> tuple[int, int] | None:
        """(start, length) of the line in which a number was last signed."""
        row: tuple[int, int] | None = self._connection.execute("SELECT start, length FROM batches WHERE number = ?", (number,)).fetchone()
        return row

    @property
    def last_number(self) -> int | None:
        row = self._connection.execute("SELECT number FROM batches ORDER BY start DESC LIMIT 1").fetchone()
        return None if row is None else int(row[0])

    @contextmanager
    def noting(self) -> Iterator[None]:
        """What is noted within is kept whole or not at all."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            for notes in self._notes:
                notes.flush()
            self._connection.execute("COMMIT")
        except BaseException:
            for notes in self._notes:
                notes.drop()
            self._connection.execute("ROLLBACK")
            raise

    def note_batch(self, number: int, entries: bytes, start: int, length: int) -> None:
        if self.place_of(number) is None:
            for packed in unpack_entries(entries):
                self.state.add(number, decode_entry(packed))
        self._connection.execute("INSERT OR REPLACE INTO batches VALUES (?, ?, ?)", (number, start, length))

    def note_reached(self, reached: Reached) -> None:
        self._connection.execute("INSERT OR REPLACE INTO reached VALUES (1, ?, ?)", (reached.end, reached.last_line))

    def clear(self) -> None:
        with self.noting():
            for table in ("noted", "batches", "reached"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608

    def close(self) -> None:
        self._connection.close()


class _StoredNotes(Generic[K, V]):
    """Notes of one name in the index; what was set is written by `flush`, all at once."""

    def __init__(
        self, connection: sqlite3.Connection, name: str, key: Callable[[K], bytes], write: Callable[[V], Any], read: Callable[[Any], V]
    ) -> None:
        self._connection = connection
        self._name = name
        self._key = key
        self._write = write
        self._read = read
        self._unwritten: dict[bytes, Any] = {}

    def flush(self) -> None:
        rows = [(self._name, key, value) for key, value in self._unwritten.items()]
        self._connection.executemany("INSERT OR REPLACE INTO noted VALUES (?, ?, ?)", rows)
        self.drop()

    def drop(self) -> None:
        self._unwritten.clear()

    def get(self, key: K, /) -> V | None:
        raw = self._key(key)
        if raw in self._unwritten:
            return self._read(self._unwritten[raw])
        found = self._connection.execute("SELECT value FROM noted WHERE notes = ? AND key = ?", (self._name, raw)).fetchone()
        return None if found is None else self._read(found[0])

    def __getitem__(self, key: K) -> V:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: K, value: V) -> None:
        self._unwritten[self._key(key)] = self._write(value)

    def __contains__(self, key: K) -> bool:
        return self.get(key) is not None


def _opened(path: Path) -> sqlite3.Connection:
    """A damaged index, or one of another version, is thrown away."""
    try:
        return _connected(path)
    except sqlite3.DatabaseError:
        for each in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            each.unlink(missing_ok=True)
        make_private_file(path)
        return _connected(path)


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -65536")
        with closing(connection.execute("PRAGMA user_version")) as found:
            if found.fetchone()[0] not in (0, _VERSION):
                raise sqlite3.DatabaseError("another version")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _place_key(place: tuple[int, int]) -> bytes:
    return place[0].to_bytes(8) + place[1].to_bytes(4)


def _by_day(text: str) -> dict[int, int]:
    return {int(day): points for day, points in json.loads(text).items()}


def _issue_text(issue: SignedIssue) -> str:
    return json.dumps([str(issue.member), issue.points])


def _issue(text: str) -> SignedIssue:
    member, points = json.loads(text)
    return SignedIssue(MemberId.parse(member), Points(points))


def _reservation_text(one: SignedReservation) -> str:
    order = None if one.order is None else str(one.order)
    return json.dumps([order, str(one.member), one.points, one.discount_minor, one.captured, one.refunded, one.closed])


def _reservation(text: str) -> SignedReservation:
    order, member, points, *others = json.loads(text)
    under = None if order is None else Reference.parse(order)
    return SignedReservation(under, MemberId.parse(member), Points(points), *others)
