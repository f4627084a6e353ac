"""The shop's own database, asked with the shop's own query: read-only, and within bounds of rows, bytes and time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from gateway.secret_files import UnsafeFile, read_secret
from gateway.values.printing import printable

CONTENT_BYTES_MAX = 64 * 1024
ID_LENGTH_MAX = 200
_STEPS_BETWEEN_LOOKS = 10_000
_WHOLE = """
SELECT substr(CAST(id AS TEXT), 1, {id_length}) AS id, substr(CAST(content AS TEXT), 1, {content_bytes}) AS content,
  CAST(changed_at AS DOUBLE PRECISION) AS changed_at FROM (
{query}
) AS feed ORDER BY 3, 1
"""


class ShopDatabaseFails(Exception):
    """It cannot be read now; the message says why, without a password."""


@dataclass(frozen=True, slots=True)
class FeedRow:
    """`changed_at` in Unix seconds."""

    id: str
    content: str
    changed_at: float


class ShopDatabase:
    """One connection at a time, opened for each reading and closed after it. `url` is asked for each time: it may be changed."""

    def __init__(self, url: Callable[[], str], query: str, seconds: int) -> None:
        self._url = url
        self._query = text(_WHOLE.format(query=query, id_length=ID_LENGTH_MAX + 1, content_bytes=CONTENT_BYTES_MAX + 1))
        self._seconds = seconds

    @contextmanager
    def reading(self) -> Iterator[Callable[[float, int], list[FeedRow]]]:
        """Pages by (since, limit), each within the time. Raises ShopDatabaseFails."""
        with _told_plainly():
            engine = _engine(self._url(), self._seconds)
            try:
                with engine.connect() as connection:

                    def page(since: float, limit: int) -> list[FeedRow]:
                        with _told_plainly():
                            _give_time(connection.connection.dbapi_connection, self._seconds)
                            rows = connection.execute(self._query, {"since": since, "limit": limit}).fetchmany(limit + 1)
                            return [_row(row, limit, len(rows)) for row in rows]

                    yield page
            finally:
                engine.dispose()


def _row(row: Any, limit: int, count: int) -> FeedRow:
    if count > limit:
        raise ShopDatabaseFails(f"the query gives more than :limit ({limit}) rows: write LIMIT :limit into it")
    found_id, content, changed_at = row
    if not isinstance(found_id, str) or not isinstance(content, str) or not isinstance(changed_at, float):
        raise ShopDatabaseFails("a row has no id, no content or no changed_at (a number of Unix seconds): see docs/brand-agent.md")
    return FeedRow(found_id, content, changed_at)


def _engine(url: str, seconds: int) -> Engine:
    """Nothing can be written through it."""
    try:
        asked = make_url(url)
    except ArgumentError as error:
        raise ShopDatabaseFails("its URL is none: write sqlite:///FILE or postgresql://USER@HOST/DATABASE") from error
    if asked.get_backend_name() == "sqlite" and asked.database:
        place = Path(asked.database).absolute().as_uri() + "?mode=ro"
        return create_engine(
            "sqlite://", poolclass=NullPool, creator=lambda: sqlite3.connect(place, uri=True, timeout=seconds, check_same_thread=False)
        )
    if asked.drivername in ("postgresql", "postgresql+psycopg"):
        milliseconds = seconds * 1_000
        options = f"-c default_transaction_read_only=on -c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
        given = {"connect_timeout": max(2, seconds), "application_name": "splittally agent", "options": options}
        return create_engine(asked.set(drivername="postgresql+psycopg"), poolclass=NullPool, connect_args=given)
    raise ShopDatabaseFails(f"a database of kind {asked.drivername!a} is not read: give sqlite:///FILE or postgresql://USER@HOST/DATABASE")


def _give_time(connection: Any, seconds: int) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA query_only = 1")
        until = monotonic() + seconds
        connection.set_progress_handler(lambda: monotonic() > until, _STEPS_BETWEEN_LOOKS)


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except UnsafeFile as error:
        raise ShopDatabaseFails(str(error)) from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        cause = getattr(error, "orig", None) or error
        first = next(iter(str(cause).splitlines()), "")
        raise ShopDatabaseFails(printable(f"{type(cause).__name__}: {first}")[:200]) from None


def url_from_file(path: Path) -> Callable[[], str]:
    """Mode 600, since a password may stand in it."""
    return lambda: read_secret(path)


def url_from_environment(name: str) -> Callable[[], str]:
    def url() -> str:
        found = os.environ.get(name)
        if not found:
            raise ShopDatabaseFails(f"the environment has no {name}")
        return found

    return url
