"""Opens the database and hands out units of work. SQLite in WAL mode with full durability by default, PostgreSQL by URL.

One writer at a time: `write()` takes the write lock at its beginning, so a check and the row that depends on it are one step.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.orm import Session


class Database:
    """A database with short units of work; none stays open across a call to the node or a signer."""

    def __init__(self, url: str) -> None:
        self.engine = _open(url)
        self._writer = threading.RLock()
        self._writing = 0
        self._written = threading.Condition()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A unit of work that commits at its end, or leaves no trace when an exception passes through."""
        with self._counted(), self._writer, Session(self.engine, expire_on_commit=False) as session, session.begin():
            if self.engine.dialect.name == "sqlite":
                session.execute(text("BEGIN IMMEDIATE"))
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent snapshot for reading."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            if self.engine.dialect.name == "sqlite":
                session.execute(text("BEGIN"))
            yield session

    def await_quiet(self, timeout_seconds: float) -> None:
        """Returns once no thread writes or waits to write, or when the time is over."""
        with self._written:
            self._written.wait_for(lambda: self._writing == 0, timeout_seconds)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._written:
            self._writing += 1
        try:
            yield
        finally:
            with self._written:
                self._writing -= 1
                self._written.notify_all()

    def close(self) -> None:
        """Returns every connection."""
        self.engine.dispose()


def _open(url: str) -> Engine:
    engine = create_engine(url, pool_size=16, max_overflow=16)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver would begin too late
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "busy_timeout = 10000",
        "cache_size = -65536",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
