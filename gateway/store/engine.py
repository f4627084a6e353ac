"""How each database is opened and how a unit of work begins on it: SQLite in WAL mode by default, PostgreSQL by URL.

On both, text sorts by its bytes and a commit is on disk before it returns.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from gateway.secret_files import close_to_others_if_there, make_private_file
from gateway.values.errors import Foreseen

_WRITERS_LOCK = 0x5350_4C49  # one writer at a time in a PostgreSQL database, whatever process it is in
_TURN = "-turn"  # the file beside an SQLite database by which writers of several processes take turns
_WAIT_SECONDS = 30  # for the write lock
_OUT_OF_REACH_OF_SQLITE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}
_BYTE_ORDER = ("C", "POSIX", "C.UTF-8", "C.utf8")


class UnfitDatabase(Foreseen):
    """The database cannot hold the gateway's data as it is; the message says what to do."""


def open_engine(url: str) -> Engine:
    """Raises UnfitDatabase for a URL that names no database of a kind that serves."""
    asked = parse_url(url)
    if asked.get_backend_name() == "sqlite":
        _keep_private(Path(str(asked.database)))
        engine = create_engine(asked, pool_size=16, max_overflow=16)
        event.listen(engine, "connect", _configure_sqlite)
        return engine
    if asked.drivername in ("postgresql", "postgresql+psycopg"):
        options = f"-c synchronous_commit=on -c lock_timeout={_WAIT_SECONDS}s -c timezone=UTC"
        return create_engine(
            asked.set(drivername="postgresql+psycopg"),
            pool_size=16,
            max_overflow=16,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            connect_args={"connect_timeout": 10, "application_name": "splittally", "options": options},
        )
    raise UnfitDatabase(f"a database of kind {asked.drivername!r} does not serve: give sqlite:///FILE or postgresql://USER@HOST/DATABASE")


def _keep_private(file: Path) -> None:
    """What members bought stands in it. SQLite makes the files beside it (-wal, -shm) with the mode of the database."""
    if file.parent.is_dir():
        make_private_file(file)
    for beside in ("-wal", "-shm", "-journal", _TURN):
        close_to_others_if_there(file.with_name(file.name + beside))


def parse_url(url: str) -> URL:
    """Raises UnfitDatabase for what cannot be read, or names a database that would be gone with the process."""
    try:
        asked = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UnfitDatabase("the database URL cannot be read: give sqlite:///FILE or postgresql://USER@HOST/DATABASE") from error
    if asked.host and "@" in asked.host:
        raise UnfitDatabase("the database URL has an @ too many: one in a password is written %40, and / is %2F")
    if asked.get_backend_name() == "sqlite" and asked.database in (None, "", ":memory:"):
        raise UnfitDatabase("an SQLite database needs a file, or it is gone at the end: give sqlite:///FILE")
    return asked


def reading_engine(engine: Engine) -> Engine:
    """The same connections for units of work that read one snapshot."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def begin_reading(session: Session) -> None:
    """The snapshot is that of the first query."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("BEGIN"))


def begin_writing(on: Session | Connection) -> None:
    """Waits for the one write lock. The snapshot comes after the wait: PostgreSQL's levels above READ COMMITTED would take it before."""
    dialect = on.dialect if isinstance(on, Connection) else on.get_bind().dialect
    on.execute(text("BEGIN IMMEDIATE" if dialect.name == "sqlite" else f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})"))


class WritersTurn:
    """The write lock between processes on an SQLite file: who waits for it is woken. SQLite's own would have it look again ever more
    seldom. Nothing on PostgreSQL, where the lock of `begin_writing` does that. For one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._file: int | None = None
        if engine.dialect.name == "sqlite":
            beside = f"{engine.url.database}{_TURN}"
            self._file = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_exception: object) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def check_fit(connection: Connection) -> None:
    """Raises UnfitDatabase where text would sort by a language's rules: pages and ties would come in another order than on SQLite."""
    if connection.dialect.name == "sqlite":
        return
    asked = "SELECT datcollate, pg_encoding_to_char(encoding), datlocprovider::text FROM pg_database WHERE datname = current_database()"
    collation, encoding, provider = connection.execute(text(asked)).one()
    connection.rollback()
    if collation not in _BYTE_ORDER or encoding != "UTF8" or provider == "i":
        name = connection.engine.url.database
        raise UnfitDatabase(
            f"the database {name} sorts by {collation} in {encoding}; the gateway needs the C collation in UTF8: "
            f"createdb --template template0 --encoding UTF8 --locale C {name}"
        )


def is_out_of_reach(error: DBAPIError) -> bool:
    """Whether the database is away, closing, full of connections, locked for too long or on a disk that takes or gives no more: nothing is
    wrong with what was asked."""
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _OUT_OF_REACH_OF_SQLITE
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


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
