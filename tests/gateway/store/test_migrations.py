"""The migrations make exactly the tables that the code describes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Integer, MetaData, inspect

from gateway.schema import metadata
from gateway.store.migrations import migrate
from gateway.store.session import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'gateway.sqlite3'}")
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
