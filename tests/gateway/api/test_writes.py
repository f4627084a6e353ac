"""Writes that come at the same time share a unit of work, and each stands for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from gateway.access.tables import IdempotentRequestRow
from gateway.api.writes import Ahead, PendingWrite, Writes
from gateway.store.counters import CounterRow, next_number
from gateway.store.session import Database
from gateway.store.unit_of_work import UnitOfWork, writing
from gateway.values.errors import Invalid, ReferenceReused, Unavailable
from gateway.values.ids import sha256
from tests.builders.databases import migrated_database

NOW = 1_771_200_000


class Counted:
    """`begun`: how many units of work there were."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.begun = 0
        self.writes = Writes(self.writing)

    @contextmanager
    def writing(self) -> Iterator[UnitOfWork]:
        self.begun += 1
        with writing(self.database, lambda _work: NOW) as work:
            yield work

    def all(self, *writes: PendingWrite) -> list[Any]:
        return list(self.writes._all(writes))

    def rows(self) -> tuple[dict[str, int], list[str]]:
        """Counters, and the idempotency keys that are used up."""
        with self.database.read() as session:
            keys = session.scalars(select(IdempotentRequestRow.idempotency_key).order_by(IdempotentRequestRow.idempotency_key))
            return dict(session.execute(select(CounterRow.name, CounterRow.last)).all()), list(keys)


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    database = Database(migrated_database(tmp_path))
    yield Counted(database)
    database.close()


def counts(key: str, name: str, content: str = "same", ahead: Ahead | None = None, then: Exception | None = None) -> PendingWrite:
    """A write that counts, and then fails."""

    def act(work: UnitOfWork) -> str:
        number = next_number(work.session, name)
        if then is not None:
            raise then
        return f"{name} {number}"

    return PendingWrite("brand:1", key, sha256(content.encode()), "count", act, ahead)


def test_one_begin_serves_all_and_the_same_request_is_shown_again(counted: Counted) -> None:
    done = counted.all(counts("a", "first"), counts("b", "second"), counts("a", "first"))
    assert done == [("first 1", False), ("second 1", False), ("first 1", True)]
    assert counted.begun == 1
    assert counted.rows() == ({"first": 1, "second": 1}, ["a", "b"])


def test_coroutines_share_too_and_one_that_is_gone_has_written_all_the_same(counted: Counted) -> None:
    refused = Invalid("not like this")

    async def all_at_once() -> list[Any]:
        first = asyncio.create_task(counted.writes.do_soon(counts("a", "first")))
        await asyncio.sleep(0)  # its unit of work is under way: the others share the next
        gone = asyncio.create_task(counted.writes.do_soon(counts("d", "fourth")))
        rest = [counts("b", "second"), counts("c", "third", then=refused), counts("a", "first")]
        others = [asyncio.create_task(counted.writes.do_soon(write)) for write in rest]
        await asyncio.sleep(0)
        gone.cancel()
        return await asyncio.gather(first, *others, return_exceptions=True)

    assert asyncio.run(all_at_once()) == [("first 1", False), ("second 1", False), refused, ("first 1", True)]
    assert counted.begun == 2
    assert counted.rows() == ({"first": 1, "second": 1, "fourth": 1}, ["a", "b", "d"])


def test_what_one_is_refused_for_leaves_no_trace_and_stops_nobody(counted: Counted) -> None:
    refused = Invalid("not like this")
    done = counted.all(counts("a", "first"), counts("b", "second", then=refused), counts("c", "third"))
    assert done == [("first 1", False), refused, ("third 1", False)]
    assert counted.rows() == ({"first": 1, "third": 1}, ["a", "c"])


def test_a_key_with_other_content_is_refused_beside_the_first(counted: Counted) -> None:
    first, other = counted.all(counts("a", "first"), counts("a", "first", content="other"))
    assert first == ("first 1", False)
    assert isinstance(other, ReferenceReused)
    assert counted.rows() == ({"first": 1}, ["a"])


@pytest.mark.parametrize("statement", ["SELECT nothing FROM nowhere", "INSERT INTO counters (name) VALUES (NULL)"])
def test_where_the_whole_fails_each_is_done_alone(counted: Counted, statement: str) -> None:
    def broken(work: UnitOfWork) -> str:
        work.session.execute(text(statement))
        return "never"

    bad = PendingWrite("brand:1", "b", sha256(b"bad"), "count", broken)
    first, failed, last = counted.all(counts("a", "first"), bad, counts("c", "third"))
    assert (first, last) == (("first 1", False), ("third 1", False))
    assert isinstance(failed, Exception)
    assert counted.rows() == ({"first": 1, "third": 1}, ["a", "c"])


def test_a_database_that_is_away_is_not_asked_by_each_again(counted: Counted) -> None:
    away = Unavailable("The database does not serve at present")

    @contextmanager
    def nothing() -> Iterator[UnitOfWork]:
        counted.begun += 1
        raise away
        yield

    counted.writes._writing = nothing
    assert counted.all(counts("a", "first"), counts("b", "second")) == [away, away]
    assert counted.begun == 1


def test_what_is_looked_up_is_read_once_for_all_of_a_brand(counted: Counted) -> None:
    looked: list[tuple[int, list[str]]] = []

    def read(_work: UnitOfWork, brand_id: int, items: list[str]) -> None:
        looked.append((brand_id, items))

    writes = [counts(f"k{number}", "one", ahead=Ahead(read, number % 2, f"item {number}")) for number in range(4)]
    assert [resource for resource, _ in counted.all(*writes)] == ["one 1", "one 2", "one 3", "one 4"]
    assert looked == [(0, ["item 0", "item 2"]), (1, ["item 1", "item 3"])]
    assert counted.begun == 1
