"""Rows of the shop's feed as lines of the register, each once, as acts on the journal's connection.

While nothing is signed for a row, what it says last is what counts, and a row that is gone supports nothing. Once it was signed either is a
fault of the feed: it stands as an alarm until the shop puts it right or somebody says how it was dealt with.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from pydantic_core import from_json

from gateway.brand_agent.item import ItemKind, Speaker
from gateway.brand_agent.outbox import find
from gateway.brand_agent.record_lines import OtherRecord, RecordLines
from gateway.brand_agent.shop_database import CONTENT_BYTES_MAX, ID_LENGTH_MAX, FeedRow
from gateway.brand_signer.register_records import id_of_record, parse_record
from gateway.brand_signer.signed_references import references_of
from gateway.brand_signer.signed_state import SignedState
from gateway.values.references import BY_EVIDENCE

CHANGED, GONE, DIFFERS, UNREADABLE = "feed_changed_after_signing", "feed_gone_after_signing", "feed_differs", "feed_unreadable"
SHOWN = 100
_OPEN = "problem IS NOT NULL AND dealt_with IS NULL"
_TYPES = ("sale", "refund", "refund_failure", "order", "capture", "void", "point_refund")
_ITEMS = {"sale": ItemKind.PURCHASE, "refund": ItemKind.PAYMENT_REFUND} | {one.value: one for one in ItemKind}


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A row as it was read last. `owned`: the register has its line from the feed alone. `problem`: one of the codes above."""

    digest: str
    type: str | None
    record_id: str | None
    owned: bool
    problem: str | None
    is_gone: bool


@dataclass(frozen=True, slots=True)
class FeedProblem:
    id: str
    problem: str
    type: str | None
    record_id: str | None
    detail: str

    def view(self) -> dict[str, Any]:
        return asdict(self)


class NoLine(Exception):
    """The row is no line of the register."""


@dataclass(frozen=True, slots=True)
class FeedLines:
    lines: RecordLines
    brand_id: int

    def take(self, connection: sqlite3.Connection, rows: Sequence[FeedRow], signed: SignedState) -> int:
        """How many of these were new or changed."""
        return sum(self._take_one(connection, row, signed) for row in rows)

    def take_away(self, connection: sqlite3.Connection, ids: Iterable[str], signed: SignedState) -> int:
        """Rows that are gone; how many."""
        count = 0
        for one in ids:
            known = _known(connection, one)
            if known is None or known.is_gone:
                continue
            count += 1
            if known.owned and self._is_signed(connection, known, signed):
                _mark(connection, one, GONE, "it was signed, and its row is gone")
                continue
            self._drop(connection, known)
            connection.execute("UPDATE feed_rows SET is_gone = 1, owned = 0, problem = NULL WHERE id = ?", (one,))
        return count

    def _take_one(self, connection: sqlite3.Connection, row: FeedRow, signed: SignedState) -> bool:
        digest, known = sha256(row.content.encode("utf-8", "surrogatepass")).hexdigest(), _known(connection, row.id)
        if known is not None and (known.digest, known.problem, known.is_gone) == (digest, None, False):
            connection.execute(
                "UPDATE feed_rows SET changed_at = ? WHERE id = ? AND changed_at <> ?", (row.changed_at, row.id, row.changed_at)
            )
            return False
        try:
            kind, record_id = _parsed(row)
        except NoLine as wrong:
            self._note_wrong(connection, row, known, UNREADABLE, str(wrong))
            return True
        is_same = known is not None and self._says_the_same(connection, known, row.content)
        if known is not None and not is_same and not known.is_gone:
            if known.owned and self._is_signed(connection, known, signed):
                _mark(connection, row.id, CHANGED, "it was signed, and its row says something else now", row.changed_at)
                return True
            self._drop(connection, known)
        owned = known is not None and known.owned and is_same
        try:
            owned = self.lines.add_line(connection, row.content) or owned
        except OtherRecord as other:
            self._note_wrong(connection, row, known, DIFFERS, str(other))
            return True
        what = digest, row.changed_at, kind, record_id, owned
        connection.execute("INSERT OR REPLACE INTO feed_rows VALUES (?, ?, ?, ?, ?, ?, 0, NULL, '', NULL)", (row.id, *what))
        return True

    def _says_the_same(self, connection: sqlite3.Connection, known: KnownRow, content: str) -> bool:
        named = known.type, known.record_id
        stored = connection.execute("SELECT line FROM records WHERE type = ? AND id = ?", named).fetchone()
        return stored is not None and parse_record(stored[0]) == parse_record(content)

    def _note_wrong(self, connection: sqlite3.Connection, row: FeedRow, known: KnownRow | None, problem: str, detail: str) -> None:
        """What the register has of it already stays."""
        if known is None:
            connection.execute(
                "INSERT INTO feed_rows VALUES (?, '', ?, NULL, NULL, 0, 0, ?, ?, NULL)", (row.id, row.changed_at, problem, detail[:200])
            )
        else:
            _mark(connection, row.id, problem, detail[:200], row.changed_at)

    def _is_signed(self, connection: sqlite3.Connection, known: KnownRow, signed: SignedState) -> bool:
        stored = connection.execute("SELECT line FROM records WHERE type = ? AND id = ?", (known.type, known.record_id)).fetchone()
        if stored is None:
            return False
        references = references_of(parse_record(stored[0]), self.lines.reference_secret, self.brand_id)
        return any(one in signed.references for one in references)

    def _drop(self, connection: sqlite3.Connection, known: KnownRow) -> None:
        """Takes the line away, unless a till has said the same."""
        if not known.owned or known.type is None or known.record_id is None:
            return
        if known.type in _ITEMS and find(connection, _ITEMS[known.type], known.record_id) is not None:
            return
        if connection.execute("SELECT 1 FROM orders WHERE ? = 'order' AND order_id = ?", (known.type, known.record_id)).fetchone():
            return
        connection.execute("DELETE FROM records WHERE type = ? AND id = ?", (known.type, known.record_id))


def newest(connection: sqlite3.Connection) -> float | None:
    """When the newest row was changed, by the shop's clock."""
    found: float | None = connection.execute("SELECT max(changed_at) FROM feed_rows").fetchone()[0]
    return found


def ids_since(connection: sqlite3.Connection, since: float) -> set[str]:
    return {row[0] for row in connection.execute("SELECT id FROM feed_rows WHERE changed_at >= ? AND is_gone = 0", (since,))}


def count_problems(connection: sqlite3.Connection) -> Mapping[str, int]:
    return dict(connection.execute(f"SELECT problem, count(*) FROM feed_rows WHERE {_OPEN} GROUP BY problem"))  # noqa: S608


def problems(connection: sqlite3.Connection) -> list[FeedProblem]:
    found = connection.execute(f"SELECT id, problem, type, record_id, detail FROM feed_rows WHERE {_OPEN} ORDER BY id LIMIT ?", (SHOWN,))  # noqa: S608
    return [FeedProblem(*row) for row in found]


def deal_with(connection: sqlite3.Connection, row_id: str, speaker: Speaker, note: str) -> bool:
    """It stays as it is, and is no alarm any more. False where no such problem stands."""
    told = f"{speaker.till}, {speaker.cashier or 'nobody named'}: {note}"
    done = connection.execute(f"UPDATE feed_rows SET dealt_with = ? WHERE id = ? AND {_OPEN}", (told, row_id))  # noqa: S608
    return done.rowcount == 1


def _parsed(row: FeedRow) -> tuple[str, str]:
    if not row.id or len(row.id) > ID_LENGTH_MAX:
        raise NoLine(f"its id is longer than {ID_LENGTH_MAX}, or empty")
    if len(row.content.encode("utf-8", "surrogatepass")) > CONTENT_BYTES_MAX:
        raise NoLine(f"its content has more than {CONTENT_BYTES_MAX} bytes")
    try:
        kind = from_json(row.content, allow_inf_nan=False)["type"]
        if kind not in _TYPES:
            raise NoLine(f"its type is {str(kind)[:40]!a}: it must be one of {', '.join(_TYPES)}")
        record = parse_record(row.content)
        if any(named.startswith(BY_EVIDENCE) for named in (id_of_record(record), getattr(record, "payment_id", ""))):
            raise NoLine(f"its id begins with {BY_EVIDENCE}: another brand's evidence stands under such ids")
        return kind, id_of_record(record)
    except (KeyError, TypeError, ValueError, RecursionError, OverflowError) as wrong:
        raise NoLine(f"its content is no line of the register: {wrong}") from None


def _known(connection: sqlite3.Connection, row_id: str) -> KnownRow | None:
    found = connection.execute("SELECT digest, type, record_id, owned, problem, is_gone FROM feed_rows WHERE id = ?", (row_id,)).fetchone()
    if found is None:
        return None
    digest, kind, record_id, owned, problem, is_gone = found
    return KnownRow(digest, kind, record_id, bool(owned), problem, bool(is_gone))


def _mark(connection: sqlite3.Connection, row_id: str, problem: str, detail: str, changed_at: float | None = None) -> None:
    connection.execute(
        "UPDATE feed_rows SET dealt_with = CASE WHEN problem = ? THEN dealt_with END, problem = ?, detail = ?, is_gone = ?,"
        " changed_at = coalesce(?, changed_at) WHERE id = ?",
        (problem, problem, detail, problem == GONE, changed_at, row_id),
    )
