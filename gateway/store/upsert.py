"""Inserts rows or, where their key is there already, changes them; the same statement on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from gateway.store.base import Base


def insert_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Plain rows; a key that is there already is an error."""
    if rows:
        session.execute(_table(table).insert(), rows)


def insert_numbered(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
    """Plain rows whose key is a number that the database gives; the numbers, in the rows' order."""
    (key,) = _table(table).primary_key.columns
    return session.execute(_table(table).insert().returning(key, sort_by_parameter_order=True), rows).scalars().all() if rows else []


def insert_missing(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows whose key is there already are passed over."""
    if rows:
        session.execute(insert_into(session, table).on_conflict_do_nothing(), rows)


def set_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """The rows as they are to stand."""
    if rows:
        statement = insert_into(session, table)
        changed = {name: statement.excluded[name] for name in rows[0] if name not in _key(table)}
        session.execute(statement.on_conflict_do_update(index_elements=_key(table), set_=changed), rows)


def add_to_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]], amounts: Sequence[str]) -> None:
    """The `amounts` columns are added to those of a row that is there already; other columns keep what they have."""
    if rows:
        statement = insert_into(session, table)
        columns = _table(table).c
        changed = {name: columns[name] + statement.excluded[name] for name in amounts}
        session.execute(statement.on_conflict_do_update(index_elements=_key(table), set_=changed), rows)


def insert_into(session: Session, table: type[Base]) -> Any:
    """The database's own INSERT, which knows ON CONFLICT."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(_table(table))


def _key(table: type[Base]) -> list[str]:
    return [column.name for column in _table(table).primary_key.columns]


def _table(table: type[Base]) -> Table:
    found = table.__table__
    assert isinstance(found, Table)
    return found
