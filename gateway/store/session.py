"""Opens the database and hands out units of work.

One writer at a time: `write()` takes the write lock at its beginning, so a check and the row that depends on it are one step.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from gateway.store.engine import WritersTurn, begin_reading, begin_writing, is_out_of_reach, open_engine, reading_engine
from gateway.store.lease import WorkerLease
from gateway.values.errors import Unavailable

log = logging.getLogger(__name__)


class Database:
    """A database with short units of work; none stays open across a call to the node or a signer."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self._reading = reading_engine(self.engine)
        self._writer = threading.RLock()
        self._turn = WritersTurn(self.engine)
        self._writing = 0
        self._lease: WorkerLease | None = None
        self._written = threading.Condition()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A unit of work that commits at its end, or leaves no trace when an exception passes through."""
        with self._counted(), self._writer, self._turn, self._unit(self.engine) as session:
            begin_writing(session)
            if self._lease is not None:
                self._lease.check(session)
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent snapshot for reading."""
        with self._unit(self._reading) as session:
            begin_reading(session)
            yield session

    def lease_for_worker(self) -> WorkerLease | None:
        """Held until closed. None on SQLite: its file lies in the data directory, which has a lock. Raises LeaseTaken or Unavailable."""
        if self.engine.dialect.name == "sqlite":
            return None
        try:
            return WorkerLease(self.engine)
        except DBAPIError as error:
            raise _out_of_reach(error) from error

    def under(self, lease: WorkerLease | None) -> Database:
        """The same database, for whoever holds this lease: a unit of work that writes raises LeaseLost once another has it."""
        leased = copy(self)
        leased._lease = lease
        return leased

    def await_quiet(self, timeout_seconds: float) -> None:
        """Returns once no thread writes or waits to write, or when the time is over."""
        with self._written:
            self._written.wait_for(lambda: self._writing == 0, timeout_seconds)

    @contextmanager
    def _unit(self, engine: Engine) -> Iterator[Session]:
        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
        except DBAPIError as error:
            if not is_out_of_reach(error):
                raise
            raise _out_of_reach(error) from error

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._written:
            self._writing += 1
        try:
            yield
        finally:
            with self._written:
                self._writing -= 1
                self._written.notify_all()

    def close(self) -> None:
        """Returns every connection."""
        self.engine.dispose()
        self._turn.close()


def _out_of_reach(error: DBAPIError) -> Unavailable:
    """Callers learn that it is away; where it stands and what it said is for the log."""
    log.warning("the database does not serve: %s", str(error.orig).strip())
    return Unavailable("The database does not serve at present")
