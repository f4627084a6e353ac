"""The migrations make exactly the tables that the code describes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Integer, MetaData, inspect, text

from gateway.schema import metadata
from gateway.store.migrations import SchemaBehind, UnknownSchema, check_schema, migrate
from gateway.store.session import Database
from tests.builders.databases import empty_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(empty_database(tmp_path))
    yield opened
    opened.close()


def test_migrations_and_tables_agree(database: Database) -> None:
    migrate(database.engine)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata()) == []


def test_a_column_without_a_migration_is_noticed(database: Database) -> None:
    migrate(database.engine)
    changed = MetaData()
    for table in metadata().sorted_tables:
        table.to_metadata(changed)
    changed.tables["operations"].append_column(Column("forgotten", Integer))
    with database.engine.connect() as connection:
        assert [each[0] for each in compare_metadata(MigrationContext.configure(connection), changed)] == ["add_column"]


def test_migrating_twice_changes_nothing(database: Database) -> None:
    migrate(database.engine)
    before = inspect(database.engine).get_table_names()
    migrate(database.engine)
    assert inspect(database.engine).get_table_names() == before
    assert "operations" in before


def test_a_database_of_another_version_is_refused_by_name_and_left_as_it_is(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
        connection.execute(text("CREATE TABLE purchases (payment_id TEXT)"))
        connection.execute(text("INSERT INTO purchases VALUES ('kept')"))
    before = _dump(database)
    for attempt in (migrate, check_schema):
        with pytest.raises(UnknownSchema, match="schema 0001, which this version does not know"):
            attempt(database.engine)
    assert _dump(database) == before


def test_a_database_without_its_tables_is_named_and_one_with_them_passes(database: Database) -> None:
    with pytest.raises(SchemaBehind, match="splittally init"):
        check_schema(database.engine)
    migrate(database.engine)
    check_schema(database.engine)


def _dump(database: Database) -> dict[str, list[Any]]:
    """Every table's rows."""
    tables = MetaData()
    with database.engine.connect() as connection:
        tables.reflect(connection)
        return {table.name: list(connection.execute(table.select())) for table in tables.sorted_tables}
