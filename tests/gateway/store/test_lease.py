"""One process at a time works on a PostgreSQL database, and what an earlier one had under way comes to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from gateway.rounds.sole_worker import StandsBy, take_lease
from gateway.store.counters import CounterRow, next_number
from gateway.store.engine import begin_writing
from gateway.store.lease import LEASE_SECONDS, LeaseLost, LeaseTaken
from gateway.store.session import Database
from tests.builders.databases import migrated_database
from tests.on_postgresql import SERVER

pytestmark = pytest.mark.skipif(SERVER is None, reason="of PostgreSQL: an SQLite file is held by its data directory's lock")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(migrated_database(tmp_path))
    yield opened
    opened.close()


def numbers(database: Database) -> int | None:
    with database.read() as session:
        return session.scalar(select(CounterRow.last).where(CounterRow.name == "work"))


def test_a_lease_that_is_renewed_is_nobody_elses(database: Database) -> None:
    first = database.lease_for_worker()
    assert first is not None
    until = monotonic() + LEASE_SECONDS + 1
    while monotonic() < until:
        with pytest.raises(LeaseTaken, match="stop it first"):
            database.lease_for_worker()
        sleep(0.5)
    first.close()
    second = database.lease_for_worker()
    assert second is not None
    second.close()


def test_who_stopped_renewing_is_replaced_within_five_seconds_and_writes_no_more(database: Database) -> None:
    lost = database.lease_for_worker()
    assert lost is not None
    with database.under(lost).write() as session:
        next_number(session, "work")
    lost._ended.set()  # as a process that hangs, or is cut off: it believes that it holds the lease
    lost._renewing.join()
    began = monotonic()
    taken = None
    while taken is None:
        try:
            taken = take_lease(database)
        except StandsBy:
            assert monotonic() - began < 20
    assert monotonic() - began < 5
    with pytest.raises(LeaseLost), database.under(lost).write() as session:
        next_number(session, "work")
    assert numbers(database) == 1
    with database.under(taken).write() as session:
        next_number(session, "work")
    lost.close()  # of another's lease nothing is let go
    with pytest.raises(LeaseTaken):
        database.lease_for_worker()
    assert numbers(database) == 2
    taken.close()


def test_a_unit_of_work_that_was_begun_under_the_lease_ends_before_another_takes_it(database: Database) -> None:
    lost = database.lease_for_worker()
    assert lost is not None
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE worker_lease SET until_ms = 0"))
    with database.under(lost).write() as session:
        next_number(session, "work")
        with database.engine.connect() as other:
            other.execute(text("SET lock_timeout = '200ms'"))
            with pytest.raises(OperationalError, match="lock timeout"):
                begin_writing(other)
    assert numbers(database) == 1
    lost.close()


def test_what_others_write_needs_no_lease(database: Database) -> None:
    lease = database.lease_for_worker()
    assert lease is not None
    with database.write() as session:
        next_number(session, "work")
    assert numbers(database) == 1
    lease.close()
