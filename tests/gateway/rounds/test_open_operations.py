"""What has not ended is found by its own index: a round costs the same however much has happened before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from gateway.points.rows import SqlPoints
from gateway.rounds.operation_reading import accepted_acts, accepted_entries, read_round
from gateway.rounds.tables import IS_OPEN, OperationRow
from gateway.store.migrations import migrate
from gateway.store.session import Database
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.ids import MemberId

MEMBER = MemberId(b"\x11" * 20)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'gateway.sqlite3'}")
    migrate(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def plans(database: Database) -> Iterator[list[str]]:
    """How SQLite goes about every query on operations."""
    found: list[str] = []

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT") and "FROM operations" in statement:
            cursor.execute("EXPLAIN QUERY PLAN " + statement, parameters)
            found.extend(row[3] for row in cursor.fetchall() if "operations" in row[3])

    event.listen(database.engine, "before_cursor_execute", explain)
    yield found
    event.remove(database.engine, "before_cursor_execute", explain)


def test_a_round_reads_open_operations_alone(database: Database, plans: list[str]) -> None:
    with database.read() as session:
        accepted_entries(session, frozenset())
        accepted_acts(session)
        read_round(session, [], 0)
    assert len(plans) >= 4
    assert all("ix_operations_open" in plan for plan in plans), plans


def test_what_is_on_its_way_for_a_member_is_found_by_the_member(database: Database, plans: list[str]) -> None:
    with database.read() as session:
        SqlPoints(UnitOfWork(session, lambda _: 0)).holding(MEMBER)
    assert plans
    assert all("ix_operations_member_open" in plan for plan in plans), plans


def test_the_same_question_in_other_words_reads_everything(database: Database, plans: list[str]) -> None:
    with database.read() as session:
        session.execute(select(OperationRow.sequence).where(OperationRow.status.in_(("accepted", "packed"))))
        session.execute(select(OperationRow.sequence).where(IS_OPEN))
    assert ["ix_operations_open" in plan for plan in plans] == [False, True]
