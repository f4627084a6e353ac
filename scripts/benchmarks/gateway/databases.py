"""A PostgreSQL server for the time of a run, which syncs what is committed, and a gateway's rows taken over from SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select, text

from gateway.schema import metadata
from gateway.store.engine import open_engine
from gateway.store.migrations import migrate
from scripts.postgresql import PostgresServer, find_programs

_AT_ONCE = 10_000


@contextmanager
def postgresql() -> Iterator[PostgresServer | None]:
    """None where it is not installed."""
    programs = find_programs()
    if programs is None:
        yield None
        return
    server = PostgresServer(programs, synced=True)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def first_process(server: PostgresServer) -> int:
    return int((server.folder / "data" / "postmaster.pid").read_text().split("\n")[0])


def take_over(file: Path, url: str) -> int:
    """Every row of the SQLite file into the empty database of this URL; how many there were."""
    source, target = open_engine(f"sqlite:///{file}"), open_engine(url)
    try:
        migrate(target)
        with source.connect() as reading, target.begin() as writing:
            tables = metadata().sorted_tables
            writing.execute(text(f"TRUNCATE {', '.join(table.name for table in tables)} CASCADE"))  # migrations may leave rows
            count = sum(_copy(table, reading, writing) for table in tables)
        with target.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
        return count
    finally:
        source.dispose()
        target.dispose()


def _copy(table: Table, reading: Connection, writing: Connection) -> int:
    columns = list(table.columns)
    names = ", ".join(f'"{column.name}"' for column in columns)
    cursor: Any = writing.connection.cursor()
    count = 0
    with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in reading.execution_options(yield_per=_AT_ONCE).execute(select(*columns)):
            copy.write_row(tuple(row))
            count += 1
    numbered = table.autoincrement_column
    if numbered is not None and count:
        newest = writing.execute(select(func.max(numbered))).scalar_one()
        sequence = func.pg_get_serial_sequence(table.name, numbered.name)
        writing.execute(select(func.setval(sequence, newest)))  # null where there is none
    return count
