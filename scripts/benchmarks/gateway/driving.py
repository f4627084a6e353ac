"""How a load is driven: closed, so many calls at once and each after the last, or open, at moments that nobody's slowness shifts."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from scripts.benchmarks.gateway.connection import Connections
from scripts.benchmarks.gateway.watching import LedgerWatch

ASK_AGAIN = (429, 503, 504)  # who is busy, and whose answer is not known: a shop gives up neither
PAUSE_SECONDS = 0.1
SETTLES_WITHIN_SECONDS = 60.0
_SPREAD = "arrivals"


@dataclass(frozen=True, slots=True)
class Call:
    """`expects`: what stands in its answer unless something in it was refused."""

    port: int
    content: bytes
    expects: bytes = b""


@dataclass(slots=True)
class Job:
    """Calls that follow each other, and what they mean on the ledger: `references` of the entries they make."""

    calls: list[Call]
    entries: int = 0
    references: list[bytes] = field(default_factory=list)
    done: Callable[[], None] | None = None
    before: Callable[[], None] | None = None
    items: int = 1
    began: float = 0.0


@dataclass
class Driven:
    """What came of it. Seconds; `sent_entries` are those of jobs that were answered well."""

    answers: list[float] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    first_problem: str = ""
    sent_entries: int = 0
    seconds: float = 0.0
    waiting_at_end: int = 0
    settled_seconds: float = 0.0
    late_seconds: float = 0.0


class Driver:
    def __init__(self, connections: Connections, watch: LedgerWatch | None, make: Callable[[], Job | None]) -> None:
        self._connections = connections
        self._watch = watch
        self._make = make
        self._under_way = 0  # entries sent and not answered
        self.driven = Driven()

    async def closed(self, at_once: int, window: int | None, seconds: float) -> None:
        """Whoever finds no room in the window waits until the ledger has more of what was sent."""
        began = perf_counter()
        until = began + seconds
        loop, waiting = asyncio.get_running_loop(), deque[asyncio.Future[None]]()

        def let_in(room: int) -> None:
            for _ in range(min(room, len(waiting))):
                waiting.popleft().set_result(None)

        async def one_after_another() -> None:
            while perf_counter() < until:
                if window is not None and self._on_its_way() >= window:
                    waiting.append(waiter := loop.create_future())
                    await waiter
                    continue
                job = self._make()
                if job is None:
                    return
                job.began = perf_counter()
                await self._do(job)

        if self._watch is not None and window is not None:
            self._watch.heard = lambda: let_in(window - self._on_its_way())
        loop.call_later(seconds, lambda: let_in(len(waiting)))
        await asyncio.gather(*(one_after_another() for _ in range(at_once)))
        await self._settle(began)

    async def open(self, rate: float, seconds: float) -> None:
        """Arrivals are random (exponential gaps). What is late counts from the moment it was due."""
        draw = random.Random(_SPREAD)  # noqa: S311 - when tills call, not a secret
        began = perf_counter()
        due, tasks = began, set[asyncio.Task[None]]()
        while due < began + seconds:
            ahead = due - perf_counter()
            if ahead > 0:
                await asyncio.sleep(ahead)
            else:
                self.driven.late_seconds = max(self.driven.late_seconds, -ahead)
                await asyncio.sleep(0)
            job = self._make()
            if job is None:
                break
            job.began = due
            task = asyncio.create_task(self._do(job))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            due += draw.expovariate(rate)
        await asyncio.gather(*tasks)
        await self._settle(began)

    def _on_its_way(self) -> int:
        """Entries that were sent and are not on the ledger."""
        return self._under_way + self.driven.sent_entries - (0 if self._watch is None else self._watch.confirmed)

    async def _do(self, job: Job) -> None:
        if job.before is not None:
            job.before()
        self._under_way += job.entries
        try:
            is_done = True
            for call in job.calls:
                is_done = is_done and await self._ask(call)
        finally:
            self._under_way -= job.entries
        self.driven.answers.append(perf_counter() - job.began)
        if is_done:
            self.driven.sent_entries += job.entries
            self.driven.jobs.append(job)
            if job.done is not None:
                job.done()

    async def _ask(self, call: Call) -> bool:
        """The same again until there is an answer."""
        while True:
            status, body = await self._connections.ask(call.port, call.content)
            self.driven.statuses[status] += 1
            if status not in ASK_AGAIN:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        if (status >= 300 or call.expects not in body) and not self.driven.first_problem:
            self.driven.first_problem = f"{status}: {body[:600].decode(errors='replace')}"
        return status < 300

    async def _settle(self, began: float) -> None:
        """Everything that was sent is on the ledger, or what is missing does not come."""
        ended = perf_counter()
        self.driven.seconds = ended - began
        if self._watch is None:
            return
        self.driven.waiting_at_end = max(0, self.driven.sent_entries - self._watch.confirmed)
        newest, progress = self._watch.confirmed, ended
        while self._watch.confirmed < self.driven.sent_entries and perf_counter() < progress + SETTLES_WITHIN_SECONDS:
            await asyncio.sleep(0.02)
            if self._watch.confirmed > newest:
                newest, progress = self._watch.confirmed, perf_counter()
        last = self._watch.batches[-1].seen_at if self._watch.batches else ended
        self.driven.settled_seconds = max(0.0, last - ended)
