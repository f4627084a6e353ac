"""The agent's journal: one SQLite file with what tills said, what became of it, and the lines against which the signer checks.

A write is on disk when it returns. One process at a time has the journal, and it is one brand's on one ledger.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from gateway.brand_agent.group_writer import GroupWriter
from gateway.ledger.signing import Domain
from gateway.secret_files import make_private_file

_T = TypeVar("_T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
    type TEXT NOT NULL, id TEXT NOT NULL, line TEXT NOT NULL, found_by TEXT, PRIMARY KEY (type, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_found_by ON records (found_by) WHERE found_by IS NOT NULL;
CREATE TABLE IF NOT EXISTS items (
    sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, external_id TEXT NOT NULL, target TEXT NOT NULL, body TEXT NOT NULL,
    held TEXT NOT NULL, till TEXT NOT NULL, cashier TEXT, day TEXT, gross_minor INTEGER, points INTEGER, journaled_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('journaled', 'sent', 'answered', 'ended')),
    operation_id TEXT, outcome TEXT CHECK (outcome IN ('confirmed', 'refused')), reason TEXT,
    tries INTEGER NOT NULL DEFAULT 0, faults INTEGER NOT NULL DEFAULT 0, not_before REAL NOT NULL DEFAULT 0,
    asked_at REAL NOT NULL DEFAULT 0, more_operations TEXT, answered_at REAL NOT NULL DEFAULT 0, detail TEXT, UNIQUE (kind, external_id)
);
CREATE INDEX IF NOT EXISTS items_journaled ON items (kind, sequence) WHERE state = 'journaled';
CREATE INDEX IF NOT EXISTS items_unanswered ON items (held, sequence) WHERE state IN ('journaled', 'sent');
CREATE INDEX IF NOT EXISTS items_answered ON items (asked_at) WHERE state = 'answered';
CREATE INDEX IF NOT EXISTS items_open ON items (state, sequence) WHERE state <> 'ended';
CREATE INDEX IF NOT EXISTS items_refused ON items (sequence) WHERE outcome = 'refused';
CREATE INDEX IF NOT EXISTS items_of_day ON items (day, till, gross_minor) WHERE day IS NOT NULL;
CREATE TABLE IF NOT EXISTS orders (
    order_id TEXT PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL, member_id TEXT NOT NULL, reservation_id TEXT NOT NULL,
    deadline INTEGER NOT NULL, till TEXT NOT NULL, cashier TEXT, journaled_at INTEGER NOT NULL,
    let_go INTEGER NOT NULL DEFAULT 0, capture_id TEXT, accepted_at REAL NOT NULL DEFAULT 0,
    asked_by INTEGER NOT NULL DEFAULT -1
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_reserved ON orders (reservation_id);
CREATE TABLE IF NOT EXISTS decisions (
    sequence INTEGER PRIMARY KEY, item INTEGER NOT NULL, act TEXT NOT NULL CHECK (act IN ('retry', 'dealt_with')), till TEXT NOT NULL,
    cashier TEXT, reason TEXT, note TEXT NOT NULL, decided_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS decisions_of_item ON decisions (act, item);
CREATE TABLE IF NOT EXISTS own_discounts (
    order_id TEXT PRIMARY KEY, member_id TEXT NOT NULL, points INTEGER NOT NULL, discount_minor INTEGER NOT NULL, day TEXT NOT NULL,
    till TEXT NOT NULL, cashier TEXT, given_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS own_discounts_of_day ON own_discounts (day, till, discount_minor);
CREATE TABLE IF NOT EXISTS feed_rows (
    id TEXT PRIMARY KEY, digest TEXT NOT NULL, changed_at REAL NOT NULL, type TEXT, record_id TEXT, owned INTEGER NOT NULL,
    is_gone INTEGER NOT NULL, problem TEXT, detail TEXT NOT NULL, dealt_with TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS feed_rows_changed ON feed_rows (changed_at);
CREATE INDEX IF NOT EXISTS feed_rows_problems ON feed_rows (id) WHERE problem IS NOT NULL AND dealt_with IS NULL;
CREATE TABLE IF NOT EXISTS rules (
    version INTEGER PRIMARY KEY, document TEXT NOT NULL, signature BLOB NOT NULL, in_force_from INTEGER
);
CREATE TABLE IF NOT EXISTS evidence (
    sold_by INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, signature BLOB NOT NULL,
    counted_at INTEGER NOT NULL, PRIMARY KEY (sold_by, kind, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bonus_budgets (
    sold_by INTEGER NOT NULL, period TEXT NOT NULL, points INTEGER NOT NULL, PRIMARY KEY (sold_by, period)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS evidence_sent (
    addressee INTEGER NOT NULL, item INTEGER NOT NULL, kind TEXT NOT NULL, held TEXT NOT NULL,
    outcome TEXT CHECK (outcome IN ('counted', 'refused', 'nothing')), reason TEXT, tries INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0, told_at REAL NOT NULL DEFAULT 0, PRIMARY KEY (addressee, item)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS evidence_sent_open ON evidence_sent (addressee, item) WHERE outcome IS NULL;
CREATE INDEX IF NOT EXISTS evidence_sent_held ON evidence_sent (addressee, held, item) WHERE outcome IS NULL;
CREATE INDEX IF NOT EXISTS evidence_sent_refused ON evidence_sent (addressee, item) WHERE outcome = 'refused';
CREATE TABLE IF NOT EXISTS day_closes (
    day TEXT NOT NULL, till TEXT NOT NULL, count INTEGER NOT NULL, gross_minor INTEGER NOT NULL, agrees INTEGER NOT NULL,
    PRIMARY KEY (day, till)
) WITHOUT ROWID;
"""

# What journals of earlier versions lack, and indexes on it.
_ADDED = {
    ("items", "answered_at"): "REAL NOT NULL DEFAULT 0",
    ("items", "detail"): "TEXT",
    ("orders", "accepted_at"): "REAL NOT NULL DEFAULT 0",
    ("orders", "asked_by"): "INTEGER NOT NULL DEFAULT -1",
    ("evidence_sent", "told_at"): "REAL NOT NULL DEFAULT 0",
}
_INDEXES_ON_ADDED = """
CREATE INDEX IF NOT EXISTS items_answered_at ON items (answered_at) WHERE answered_at > 0;
CREATE INDEX IF NOT EXISTS orders_captured ON orders (capture_id) WHERE capture_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS evidence_sent_counted ON evidence_sent (addressee, told_at, item) WHERE outcome = 'counted';
CREATE INDEX IF NOT EXISTS orders_accepted_at ON orders (accepted_at) WHERE accepted_at > 0;
"""


class UnusableJournal(Exception):
    """The journal is another brand's or ledger's, in use by another process, or no journal at all."""


class TillJournal:
    """Writes go through one thread; `reader` gives a connection for queries alone."""

    def __init__(self, path: Path, domain: Domain, brand_id: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise UnusableJournal(f"{path} is in use by another agent: end that one first") from None
        try:
            self._writer = GroupWriter(_opened(path, _identity(domain, brand_id)))
        except UnusableJournal:
            os.close(self._lock)
            raise
        except sqlite3.Error as error:
            os.close(self._lock)
            if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
                remedy = "it and its folder must be writable for the user who runs the agent (chown, or another mount)"
                raise UnusableJournal(f"{path} cannot be written ({error}): {remedy}") from error
            raise UnusableJournal(f"{path} is no journal of an agent ({error}): put it back from a backup") from error

    def reader(self) -> sqlite3.Connection:
        """For one thread at a time."""
        return sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, check_same_thread=False, isolation_level=None, timeout=30)

    def write(self, act: Callable[[sqlite3.Connection], _T]) -> _T:
        return self._writer.write(act)

    def submit(self, act: Callable[[sqlite3.Connection], _T]) -> Future[_T]:
        return self._writer.submit(act)

    def close(self) -> None:
        self._writer.close()
        os.close(self._lock)


def _opened(path: Path, identity: str) -> sqlite3.Connection:
    make_private_file(path)
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(_SCHEMA)
    for (table, column), what in _ADDED.items():
        if column not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {what}")
    connection.executescript(_INDEXES_ON_ADDED)
    connection.execute("INSERT OR IGNORE INTO facts VALUES ('identity', ?)", (identity,))
    if connection.execute("SELECT value FROM facts WHERE name = 'identity'").fetchone()[0] != identity:
        connection.close()
        raise UnusableJournal(f"{path} is the journal of another ledger or brand: name another file as agent.journal")
    return connection


def _identity(domain: Domain, brand_id: int) -> str:
    ledger = {"coalition_id": str(domain.coalition_id), "chain_id": domain.chain_id, "points_address": str(domain.verifying_contract)}
    return json.dumps({**ledger, "brand_id": brand_id}, sort_keys=True)
