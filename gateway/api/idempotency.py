"""The frame of every write: idempotency key, one unit of work, and waiting for the ledger when the caller prefers to.

`WriteNeeded` gives a Write; `write.once(...)` acts or finds what the same request made before; `write.await_ledger(...)` sets the status or
raises NotOnLedgerYet: then api/routing.py waits, which holds no thread, and runs the route again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from gateway.access.api_key import Caller
from gateway.api.context import Context, ContextNeeded
from gateway.api.door.entrance import TURN
from gateway.api.door.shares import Turn
from gateway.api.limits import WAIT_SECONDS
from gateway.api.writes import Ahead, PendingWrite, Written
from gateway.rounds.operation import OperationStatus
from gateway.rounds.views import EndedOperation, ended_operations
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.errors import Invalid, OperationRefused
from gateway.values.references import content_hash


class NotOnLedgerYet(Exception):
    """The caller prefers to wait for these operations."""

    def __init__(self, operation_ids: Collection[str], seen_looks: int) -> None:
        super().__init__()
        self.operation_ids = operation_ids
        self.seen_looks = seen_looks


@dataclass
class Write:
    """One write request. A route may run several times with it: what `once` gave stays, and waiting ends at one moment."""

    context: Context
    request: Request
    response: Response
    idempotency_key: str
    wait_seconds: int
    operation_ids: Sequence[str] | None = field(init=False, default=None)  # what came of it, kept by the route for when it runs again
    _wait_until: float = field(init=False)
    _made: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._wait_until = monotonic() + self.wait_seconds

    def once(
        self, caller: Caller, kind: str, body: Mapping[str, object], act: Callable[[UnitOfWork], str], ahead: Ahead | None = None
    ) -> str:
        """The id of the resource that this request made, now or the first time it was sent. `act` may be called again from the beginning
        where what it did was undone."""
        if self._made is None:
            self._made = self._written(self.context.writes.do(self._pending(caller, kind, body, act, ahead)))
        return self._made

    async def once_soon(
        self, caller: Caller, kind: str, body: Mapping[str, object], act: Callable[[UnitOfWork], str], ahead: Ahead | None = None
    ) -> str:
        """As `once`, for a route that is a coroutine: waiting for others' writes holds no thread."""
        return self._written(await self.context.writes.do_soon(self._pending(caller, kind, body, act, ahead)))

    def await_ledger(self, operation_ids: Iterable[str | None], *, one: bool = True, done_by: Collection[str] = ()) -> None:
        """Sets the status: 201 or 200 once all is on the ledger, 202 when the caller does not wait for it (any more). Else NotOnLedgerYet.

        Refuses if all operations of a request for `one` thing have ended refused, for other reasons than those that it is `done_by`.
        """
        ids = [operation_id for operation_id in operation_ids if operation_id is not None]
        seen_looks = self.context.waits.looks
        if not self._has_answer(self._ended(ids), one, done_by):
            raise NotOnLedgerYet(ids, seen_looks)

    async def ledger_soon(self, operation_ids: Sequence[str], *, done_by: Collection[str] = ()) -> None:
        """As `await_ledger` for one thing, for a route that is a coroutine: it goes on here."""
        while True:
            seen_looks = self.context.waits.looks
            found = [await self.context.shown.find_soon(_find_ended, operation_id) for operation_id in operation_ids]
            ended = [operation for operation in found if operation is not None]
            if self._has_answer(ended if len(ended) == len(found) else None, True, done_by):
                return
            await self.wait_for(NotOnLedgerYet(operation_ids, seen_looks))

    async def wait_for(self, what: NotOnLedgerYet) -> None:
        """Until the operations have ended or the caller's time is over; the request's turn is somebody else's meanwhile."""
        turn: Turn = self.request.scope[TURN]
        turn.give_back()
        await self.context.waits.until_ended(what.operation_ids, what.seen_looks, self._wait_until - monotonic())
        await turn.take()

    def _pending(
        self, caller: Caller, kind: str, body: Mapping[str, object], act: Callable[[UnitOfWork], str], ahead: Ahead | None
    ) -> PendingWrite:
        content = content_hash({"method": self.request.method, "path": self.request.url.path, "body": body})
        return PendingWrite(caller.principal, self.idempotency_key, content, kind, act, ahead)

    def _written(self, written: Written) -> str:
        resource_id, is_again = written
        if is_again:
            self.response.headers["Idempotent-Replayed"] = "true"
        return resource_id

    def _has_answer(self, ended: list[EndedOperation] | None, one: bool, done_by: Collection[str]) -> bool:
        """Whether the status is set: all has ended, or the caller does not wait (any more)."""
        if ended is None:
            if monotonic() < self._wait_until:
                return False
            self.response.status_code = 202
            return True
        if one and ended:
            _check_not_refused(ended, done_by)
        self.response.status_code = 200 if "Idempotent-Replayed" in self.response.headers else 201
        return True

    def _ended(self, ids: list[str]) -> list[EndedOperation] | None:
        if len(ids) == 1:
            one = self.context.shown.find(_find_ended, ids[0])
            return None if one is None else [one]
        with self.context.database.read() as session:
            found = ended_operations(session, ids)
        return found if len(found) == len(set(ids)) else None


def _find_ended(work: UnitOfWork, operation_ids: Sequence[str]) -> dict[str, EndedOperation]:
    return {ended.operation_id: ended for ended in ended_operations(work.session, operation_ids)}


def _check_not_refused(ended: Sequence[EndedOperation], done_by: Collection[str]) -> None:
    """Of several, each of which stands for itself, one that counted is enough."""
    if all(operation.status is OperationStatus.REFUSED and operation.reason not in done_by for operation in ended):
        first = ended[0]
        raise OperationRefused(f"the operation ended refused: {first.reason}", operation_id=first.operation_id, reason=first.reason)


async def _write(
    context: ContextNeeded,
    request: Request,
    response: Response,
    idempotency_key: Annotated[str, Header(min_length=1, max_length=128, description="Names this write for ever; made by the caller")],
    prefer: Annotated[
        str | None, Header(max_length=64, description=f"`wait=N`: wait up to N (at most {WAIT_SECONDS}) seconds for the ledger")
    ] = None,
) -> Write:
    seconds = _wait_seconds(prefer)
    if seconds:
        response.headers["Preference-Applied"] = f"wait={seconds}"
    return Write(context, request, response, idempotency_key, seconds)


def _wait_seconds(prefer: str | None) -> int:
    for preference in (prefer or "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "wait":
            if not (value.isascii() and value.isdigit()):
                raise Invalid("Prefer: wait=N needs a whole number of seconds", field="Prefer")
            return min(int(value), WAIT_SECONDS)
    return 0


WriteNeeded = Annotated[Write, Depends(_write)]
