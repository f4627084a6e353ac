"""Whoever waits for quiet waits for writers, and not for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import text

from gateway.store.session import Database
from gateway.values.errors import Unavailable
from tests.builders.databases import empty_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(empty_database(tmp_path))
    yield opened
    opened.close()


def test_quiet_comes_when_the_last_writer_is_done(database: Database) -> None:
    is_quiet = threading.Event()

    def wait() -> None:
        database.await_quiet(60)
        is_quiet.set()

    waiting = threading.Thread(target=wait)
    with database.write():
        waiting.start()
        assert not is_quiet.wait(0.05)
    assert is_quiet.wait(10)
    waiting.join()


def test_a_writer_that_fails_is_done_too(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write():
        raise ZeroDivisionError
    began = monotonic()
    database.await_quiet(60)
    assert monotonic() - began < 30


def test_a_writer_without_end_is_not_waited_for_longer_than_said(database: Database) -> None:
    with database.write():
        began = monotonic()
        database.await_quiet(0.05)
        assert 0.05 <= monotonic() - began < 30


def test_readers_disturb_nobody(database: Database) -> None:
    with database.read():
        began = monotonic()
        database.await_quiet(60)
        assert monotonic() - began < 30


def test_a_database_that_is_away_is_unavailable_and_callers_do_not_learn_where_it_stands() -> None:
    away = Database("postgresql://ann:s3cret@127.0.0.1:1/points")
    for unit in (away.read, away.write):
        with pytest.raises(Unavailable) as refused, unit() as session:
            session.execute(text("SELECT 1"))
        assert refused.value.message == "The database does not serve at present"
    away.close()
