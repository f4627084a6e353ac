"""Which database the gateway's suites run on: SQLite files, or databases of the PostgreSQL server that SPLITTALLY_TEST_POSTGRESQL names."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from psycopg import sql
from sqlalchemy import Connection, NullPool, create_engine, make_url, text

from gateway.store.migrations import migrate
from gateway.store.session import Database
from tests.on_postgresql import SERVER


def empty_database(folder: Path) -> str:
    """The URL of a new database without tables; `folder` is its name, or where it lies."""
    return _create(folder, None) if SERVER else f"sqlite:///{folder / 'gateway.sqlite3'}"


def migrated_database(folder: Path) -> str:
    """The URL of a new database after the real migrations, which run once."""
    if SERVER:
        return _create(folder, _migrated_template(SERVER))
    file = folder / "gateway.sqlite3"
    file.touch(mode=0o600)  # as the gateway makes it
    file.write_bytes(_migrated_file())
    return f"sqlite:///{folder / 'gateway.sqlite3'}"


def copied_database(original: Database, folder: Path) -> str:
    """The URL of a new database with everything that the original holds, whose connections must be at rest."""
    if SERVER:
        original.close()  # PostgreSQL copies no database that somebody is connected to; this one opens again when it is asked
        return _create(folder, original.engine.url.database)
    file = folder / "copy.sqlite3"
    file.touch(mode=0o600)
    with closing(sqlite3.connect(str(original.engine.url.database))) as source, closing(sqlite3.connect(file)) as target:
        source.backup(target)
    return f"sqlite:///{file}"


def url_of(database: Database) -> str:
    """As settings and other processes take it."""
    return database.engine.url.render_as_string(hide_password=False)


@contextmanager
def unguarded(database: Database) -> Iterator[Connection]:
    """A connection of its own, which no foreign key holds back; what it did is kept."""
    engine = create_engine(database.engine.url, poolclass=NullPool)  # SQLite heeds foreign keys where it is told to
    with engine.begin() as connection:
        if SERVER:
            connection.execute(text("SET session_replication_role = replica"))
        yield connection


def _create(folder: Path, template: str | None) -> str:
    assert SERVER
    name = "test_" + hashlib.sha256(str(folder).encode()).hexdigest()[:24]
    _make(SERVER, name, template)
    atexit.register(_drop, SERVER, name)
    return _named(SERVER, name)


def _make(server: str, name: str, template: str | None) -> None:
    made = sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING UTF8 LOCALE 'C'")
    _drop(server, name)
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(made.format(sql.Identifier(name), sql.Identifier(template or "template0")))


def _drop(server: str, name: str) -> None:
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _named(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@cache
def _migrated_template(server: str) -> str:
    name = f"migrated_{os.getpid()}"
    _make(server, name, None)
    database = Database(_named(server, name))
    migrate(database.engine)
    database.close()
    atexit.register(_drop, server, name)
    return name


@cache
def _migrated_file() -> bytes:
    folder = Path(mkdtemp())
    try:
        database = Database(f"sqlite:///{folder / 'empty.sqlite3'}")
        migrate(database.engine)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        return (folder / "empty.sqlite3").read_bytes()
    finally:
        shutil.rmtree(folder)
