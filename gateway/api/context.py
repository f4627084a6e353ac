"""What every route needs of the running gateway: the database, the worker that writes to the ledger, and time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from gateway.brands.probe_signer import Asks
from gateway.chain.connection import Chain
from gateway.coalition.rows import business_clock
from gateway.rounds.completion import Completions
from gateway.store.session import Database
from gateway.store.unit_of_work import UnitOfWork, reading, writing
from gateway.values.calendar import wall_clock


class Worker(Protocol):
    """The ledger worker as the API sees it."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def wake(self) -> None: ...
    def health(self) -> Mapping[str, object]: ...


@dataclass(frozen=True)
class Context:
    """One a process, made in gateway/app.py. Without a worker operations are accepted and wait; without a chain there are no receipts;
    without `signers` none is probed."""

    database: Database
    completions: Completions = field(default_factory=Completions)
    worker: Worker | None = None
    chain: Chain | None = None
    clock: Callable[[], int] = wall_clock
    signers: Asks | None = None

    def reading(self) -> AbstractContextManager[UnitOfWork]:
        """One consistent snapshot."""
        return reading(self.database, business_clock(self.clock))

    @contextmanager
    def writing(self) -> Iterator[UnitOfWork]:
        """A unit of work; when it is committed the worker is woken."""
        with writing(self.database, business_clock(self.clock)) as work:
            yield work
        if self.worker is not None:
            self.worker.wake()


def _context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


ContextNeeded = Annotated[Context, Depends(_context)]
