"""Which process works on a PostgreSQL database: a lease that is renewed, with a token that fences out whoever had it before.

All by the database's clock. Whoever takes the lease over takes the write lock first: from then on no unit of work that was begun under
an earlier token can commit. On SQLite the data directory has a lock, which the system lets go of.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Any, cast

from sqlalchemy import BigInteger, CursorResult, Engine, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from gateway.store.base import Base
from gateway.store.engine import begin_writing
from gateway.store.upsert import insert_into

LEASE_SECONDS = 3.0
RENEWED_SECONDS = 0.75
_LEASE_MS = int(LEASE_SECONDS * 1000)
_ONLY = 1
_NOW = (func.extract("epoch", func.clock_timestamp()) * 1000).cast(BigInteger)  # milliseconds by the database's clock
log = logging.getLogger(__name__)


class LeaseRow(Base):
    """One row. `until_ms`: milliseconds since 1970 by the database's clock; `token` grows with each holder."""

    __tablename__ = "worker_lease"

    lease_id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[int]
    until_ms: Mapped[int]


class LeaseTaken(Exception):
    """Another process works on this database."""


class LeaseLost(Exception):
    """Another process has taken over; what is under way here comes to nothing."""


class WorkerLease:
    """Held from its making until `close`. Raises LeaseTaken."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._token = self._take()
        self._ended = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._renewing.start()

    def check(self, session: Session) -> None:
        """In a unit of work that has the write lock. Raises LeaseLost."""
        token = session.scalar(select(LeaseRow.token))
        if token != self._token:
            raise LeaseLost("another process has become this database's ledger worker")

    def close(self) -> None:
        """Whoever waits for the lease has it at once."""
        self._ended.set()
        self._renewing.join()
        with suppress(DBAPIError):
            self._set_until(0)

    def _take(self) -> int:
        with self._engine.begin() as connection:
            begin_writing(connection)
            found = connection.execute(select(LeaseRow.token, LeaseRow.until_ms > _NOW)).one_or_none()
            if found is not None and found[1]:
                raise LeaseTaken(f"another process works on the database {self._engine.url.database}; stop it first")
            token = 1 if found is None else found[0] + 1
            now: int = connection.execute(select(_NOW)).scalar_one()
            row = {"lease_id": _ONLY, "token": token, "until_ms": now + _LEASE_MS}
            with Session(connection) as session:
                taken = insert_into(session, LeaseRow).values(row)
                session.execute(taken.on_conflict_do_update(index_elements=["lease_id"], set_=row))
            return int(token)

    def _renew(self) -> None:
        while not self._ended.wait(RENEWED_SECONDS):
            try:
                if not self._set_until(_NOW + _LEASE_MS):
                    return  # the next unit of work will say so
            except DBAPIError as error:
                log.warning("the lease of the ledger worker is not renewed: %s", str(error.orig).strip())

    def _set_until(self, until: Any) -> bool:
        with self._engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '1s'"))
            mine = update(LeaseRow).where(LeaseRow.token == self._token).values(until_ms=until)
            return cast(CursorResult[Any], connection.execute(mine)).rowcount == 1
