"""Which database the gateway's suites run on: SQLite files, or databases of the PostgreSQL server that SPLITTALLY_TEST_POSTGRESQL names."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from gateway.store.migrations import migrate
from gateway.store.session import Database

SERVER = os.environ.get("SPLITTALLY_TEST_POSTGRESQL")


def empty_database(folder: Path) -> str:
    """The URL of a new database without tables; `folder` is its name, or where it lies."""
    return _create(folder, None) if SERVER else f"sqlite:///{folder / 'gateway.sqlite3'}"


def migrated_database(folder: Path) -> str:
    """The URL of a new database after the real migrations, which run once."""
    if SERVER:
        return _create(folder, _migrated_template(SERVER))
    (folder / "gateway.sqlite3").write_bytes(_migrated_file())
    return f"sqlite:///{folder / 'gateway.sqlite3'}"


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
