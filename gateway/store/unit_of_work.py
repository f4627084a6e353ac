"""A unit of work: a session and a clock. It knows no feature; features' rows are made for it, once each, when they are asked for."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from gateway.store.session import Database
from gateway.values.ids import OperationId

Rows = TypeVar("Rows")


def new_id() -> str:
    """128 random bits in hex."""
    return secrets.token_hex(16)


def new_operation_id() -> OperationId:
    return OperationId(new_id())


class UnitOfWork:
    """`of` gives every caller the same rows, so that what one operation has read or accepted the next one of the unit sees."""

    def __init__(self, session: Session, clock: Callable[[UnitOfWork], int]) -> None:
        self.session = session
        self._clock = clock
        self._rows: dict[Any, Any] = {}
        self._held_back: list[Callable[[], None]] = []

    @cached_property
    def now(self) -> int:
        """The moment that rules go by, Unix seconds; one for the whole unit."""
        return self._clock(self)

    def of(self, kind: Callable[[UnitOfWork], Rows]) -> Rows:
        """A feature's rows in this unit of work."""
        if kind not in self._rows:
            self._rows[kind] = kind(self)
        rows: Rows = self._rows[kind]
        return rows

    @contextmanager
    def apart(self) -> Iterator[UnitOfWork]:
        """A unit within this one, with rows of its own, that leaves no trace when an exception passes through."""
        self.flush()
        with self.session.begin_nested():
            inner = UnitOfWork(self.session, self._clock)
            yield inner
            inner.flush()

    def before_reading(self, write: Callable[[], None]) -> None:
        """Registers what writes rows that are held back to go in together."""
        self._held_back.append(write)

    def flush(self) -> None:
        """Writes the rows held back: before the commit, and before a query that must see them."""
        for write in self._held_back:
            write()


@contextmanager
def writing(database: Database, clock: Callable[[UnitOfWork], int]) -> Iterator[UnitOfWork]:
    """A unit of work that commits at its end, or leaves no trace when an exception passes through."""
    with database.write() as session:
        work = UnitOfWork(session, clock)
        yield work
        work.flush()


@contextmanager
def reading(database: Database, clock: Callable[[UnitOfWork], int]) -> Iterator[UnitOfWork]:
    """One consistent snapshot."""
    with database.read() as session:
        yield UnitOfWork(session, clock)
