"""A unit of work with everything an operation may ask for. Rows that were held back go in just before the commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

from sqlalchemy.orm import Session

from gateway.access.rows import SqlApiKeys, SqlBulkResults, SqlPrivilegedActions, SqlRequests, SqlSecrets
from gateway.brands.rows import SqlBrands
from gateway.coalition.coalition import Coalition
from gateway.coalition.rows import current_time, the_coalition
from gateway.loyalty.programmes.rows import SqlRules
from gateway.members.rows import SqlMembers
from gateway.points.rows import SqlPoints
from gateway.purchases.rows import SqlPaymentRefunds, SqlPurchases
from gateway.rounds.rows import SqlOperations
from gateway.store.session import Database


def wall_clock() -> int:
    """Unix seconds."""
    return int(time.time())


class Work:
    """The repositories of one session."""

    def __init__(self, session: Session, clock: Callable[[], int] = wall_clock) -> None:
        self.session = session
        self._clock = clock
        self.brands = SqlBrands(session)
        self.rules = SqlRules(session)
        self.members = SqlMembers(session)
        self.operations = SqlOperations(session)
        self.points = SqlPoints(session, self.operations)
        self.purchases = SqlPurchases(session)
        self.payment_refunds = SqlPaymentRefunds(session)
        self.api_keys = SqlApiKeys(session)
        self.requests = SqlRequests(session)
        self.bulk_results = SqlBulkResults(session)
        self.privileged_actions = SqlPrivilegedActions(session)
        self.secrets = SqlSecrets(session)

    @cached_property
    def coalition(self) -> Coalition:
        return the_coalition(self.session)

    @cached_property
    def now(self) -> int:
        return current_time(self.session, self.coalition, self._clock)

    def flush(self) -> None:
        """Writes the rows held back."""
        self.operations.flush()
        self.members.flush()
        self.purchases.flush()


@contextmanager
def writing(database: Database, clock: Callable[[], int] = wall_clock) -> Iterator[Work]:
    """A unit of work that commits at its end, or leaves no trace when an exception passes through."""
    with database.write() as session:
        work = Work(session, clock)
        yield work
        work.flush()


@contextmanager
def reading(database: Database, clock: Callable[[], int] = wall_clock) -> Iterator[Work]:
    """One consistent snapshot."""
    with database.read() as session:
        yield Work(session, clock)
