"""The frame of every write: idempotency key, one unit of work, and waiting for the ledger when the caller prefers to.

`WriteNeeded` gives a Write; `write.once(...)` acts or finds what the same request made before; `write.await_ledger(...)` sets the status.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from gateway.access.api_key import Caller
from gateway.access.once import once
from gateway.access.rows import SqlRequests
from gateway.api.context import Context, ContextNeeded
from gateway.rounds.operation import OperationStatus
from gateway.rounds.views import EndedOperation, ended_operations
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.errors import Invalid, OperationRefused
from gateway.values.references import content_hash

MAX_WAIT_SECONDS = 60


@dataclass
class Write:
    """One write request."""

    context: Context
    request: Request
    response: Response
    idempotency_key: str
    wait_seconds: int

    def once(self, caller: Caller, kind: str, body: Mapping[str, object], act: Callable[[UnitOfWork], str]) -> str:
        """The id of the resource that this request made, now or the first time it was sent."""
        content = content_hash({"method": self.request.method, "path": self.request.url.path, "body": body})
        with self.context.writing() as work:
            resource_id, again = once(
                caller.principal,
                self.idempotency_key,
                content,
                kind,
                lambda: act(work),
                requests=work.of(SqlRequests),
                now=work.now,
            )
        if again:
            self.response.headers["Idempotent-Replayed"] = "true"
        return resource_id

    def await_ledger(self, operation_ids: Iterable[str | None], *, one: bool = True, done_by: Collection[str] = ()) -> None:
        """Waits as long as the caller prefers and sets the status: 201 or 200 once all is on the ledger, else 202.

        Refuses if all operations of a request for `one` thing have ended refused, for other reasons than those that it is `done_by`.
        """
        ids = [operation_id for operation_id in operation_ids if operation_id is not None]
        ended = self.context.completions.wait(lambda: self._ended(ids), self.wait_seconds)
        if ended is None:
            self.response.status_code = 202
            return
        if one and ended:
            _check_not_refused(ended, done_by)
        self.response.status_code = 200 if "Idempotent-Replayed" in self.response.headers else 201

    def _ended(self, ids: list[str]) -> list[EndedOperation] | None:
        with self.context.database.read() as session:
            found = ended_operations(session, ids)
        return found if len(found) == len(set(ids)) else None


def _check_not_refused(ended: Sequence[EndedOperation], done_by: Collection[str]) -> None:
    """Of several, each of which stands for itself, one that counted is enough."""
    if all(operation.status is OperationStatus.REFUSED and operation.reason not in done_by for operation in ended):
        first = ended[0]
        raise OperationRefused(f"the operation ended refused: {first.reason}", operation_id=first.operation_id, reason=first.reason)


def _write(
    context: ContextNeeded,
    request: Request,
    response: Response,
    idempotency_key: Annotated[str, Header(min_length=1, max_length=128, description="Names this write for ever; made by the caller")],
    prefer: Annotated[
        str | None, Header(max_length=64, description=f"`wait=N`: wait up to N (at most {MAX_WAIT_SECONDS}) seconds for the ledger")
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
            if not (value.isascii() and value.isdigit() and len(value) <= 4):
                raise Invalid("Prefer: wait=N needs a whole number of seconds", field="Prefer")
            return min(int(value), MAX_WAIT_SECONDS)
    return 0


WriteNeeded = Annotated[Write, Depends(_write)]
