"""What every route needs of the running gateway: the database, the worker that writes to the ledger, and time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from gateway.access.api_key import ApiKey
from gateway.access.key_ring import KeyRing
from gateway.access.rows import SqlApiKeys
from gateway.access.views import waiting_by_principal
from gateway.api.known_sealer import KnownSealer
from gateway.api.readiness import Readiness
from gateway.api.waiting import LedgerWaits
from gateway.api.writes import Writes
from gateway.brands.probe_signer import Asks, SignerProbes
from gateway.chain.connection import Chain
from gateway.coalition.rows import business_clock, find_coalition
from gateway.coalition.views import CoalitionViews
from gateway.rounds.completion import Completions
from gateway.rounds.views import ended_operations
from gateway.store.read_together import ShownTogether
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

    @cached_property
    def keys(self) -> KeyRing:
        """Who may come in."""
        return KeyRing(self._keys_of)

    @cached_property
    def probes(self) -> SignerProbes | None:
        """Brands' signers tried out."""
        return None if self.signers is None else SignerProbes(self.signers)

    @cached_property
    def waits(self) -> LedgerWaits:
        """Callers that wait for the ledger."""
        return LedgerWaits(self.completions, self._ended)

    @cached_property
    def writes(self) -> Writes:
        """Requests that write."""
        return Writes(self.writing)

    @cached_property
    def shown(self) -> ShownTogether:
        """What many callers are shown at the same time."""
        return ShownTogether(self.reading)

    @cached_property
    def coalition_views(self) -> CoalitionViews:
        """The coalition as everyone may read of it."""
        return CoalitionViews()

    @cached_property
    def sealer(self) -> KnownSealer | None:
        """Who seals; None without a chain."""
        chain = self.chain
        return None if chain is None else KnownSealer(lambda: chain.sealer)

    @cached_property
    def readiness(self) -> Readiness:
        """Whether requests can be accepted."""
        return Readiness(self._is_initialized)

    def close(self) -> None:
        """Ends the threads that the context itself has begun."""
        self.keys.close()
        self.readiness.close()

    def count_waiting(self, bound: int) -> Mapping[str, int]:
        """Operations that wait for the ledger, by principal, once they are at least as many as `bound`."""
        with self.database.read() as session:
            return waiting_by_principal(session, bound)

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

    def _keys_of(self, key_ids: Sequence[str]) -> Mapping[str, ApiKey]:
        with self.reading() as work:
            return work.of(SqlApiKeys).find_all(key_ids)

    def _is_initialized(self) -> bool:
        with self.database.read() as session:
            return find_coalition(session) is not None

    def _ended(self, operation_ids: Collection[str]) -> Collection[str]:
        with self.database.read() as session:
            return [one.operation_id for one in ended_operations(session, operation_ids)]


async def _context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


ContextNeeded = Annotated[Context, Depends(_context)]
