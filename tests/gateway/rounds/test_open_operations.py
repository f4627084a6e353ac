"""What has not ended is found by its own index: a round costs the same however much has happened before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from gateway.points.rows import SqlPoints
from gateway.rounds.operation import VoidOperation
from gateway.rounds.operation_codec import columns_of
from gateway.rounds.operation_reading import OPERATIONS_IN_ONE_ROUND, accepted_acts, accepted_entries, read_round
from gateway.rounds.tables import IS_OPEN, OperationRow
from gateway.store.migrations import migrate
from gateway.store.session import Database
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.ids import MemberId, OperationId, Reference, ReservationId
from tests.builders.offline_coalition import OfflineCoalition

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
        accepted_entries(session, frozenset(), 0)
        accepted_acts(session)
        read_round(session, [], 0)
    assert len(plans) >= 4
    assert all("ix_operations_open" in plan or "PRIMARY KEY (rowid=?)" in plan for plan in plans), plans


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


def test_one_brands_thousands_do_not_keep_anothers_few_from_the_next_round(tmp_path: Path) -> None:
    flood, few = OPERATIONS_IN_ONE_ROUND + 100, 5
    coalition = OfflineCoalition(tmp_path)
    for brand_id in (1, 2):
        coalition.brand(brand_id)
    voids = [_void(number, 1 + (number >= flood)) for number in range(flood + few)]
    with coalition.database.write() as session:
        session.execute(insert(OperationRow), [{**columns_of(void), "status": "accepted", "created_at": 0} for void in voids])
    with coalition.database.read() as session:
        taken = accepted_entries(session, frozenset(), 0)
    coalition.close()
    assert len(taken) == OPERATIONS_IN_ONE_ROUND
    assert sum(each.operation.brand_id == 2 for each in taken) == few
    assert [each.sequence for each in taken] == sorted(each.sequence for each in taken)


def _void(number: int, brand_id: int) -> VoidOperation:
    name = number.to_bytes(32)
    return VoidOperation(OperationId(f"void-{number}"), brand_id, MEMBER, ReservationId(name), Reference(name), f"void-{number}")
