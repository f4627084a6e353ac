"""Operations: how a write stands, and another try of what nobody signed."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import StringConstraints

from gateway.api.brands import show_operation
from gateway.api.context import ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsOperatorOrBrand, AsReader, check_reads_brand
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import Body, Cursor, Limit, OperationIdPath
from gateway.purchases.rows import SqlPaymentRefunds
from gateway.rounds.operation import OperationKind
from gateway.rounds.retry_operation import retry_operation
from gateway.rounds.rows import SqlOperations
from gateway.rounds.views import OperationList, OperationView, find_operation, list_operations
from gateway.store.pages import MAX_LIMIT
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.errors import NotFound
from gateway.values.ids import OperationId

router = Router(prefix="/v1", tags=["operations"])
StatusQuery = Annotated[Literal["accepted", "packed", "confirmed", "refused"] | None, Query()]
NamedQuery = Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Query(max_length=MAX_LIMIT)]
KindQuery = Annotated[OperationKind | None, Query()]


@router.get("/operations", responses=READS)
def get_operations(
    caller: AsReader,
    context: ContextNeeded,
    status: StatusQuery = None,
    kind: KindQuery = None,
    operation_id: NamedQuery = [],  # noqa: B006 - FastAPI copies it
    cursor: Cursor = None,
    limit: Limit = 50,
) -> OperationList:
    """Newest first; a brand sees its own. `operation_id`, as often as wanted: of those alone, on one page."""
    with context.reading() as work:
        return list_operations(work.session, caller.brand_id, status, kind, cursor, max(limit, len(operation_id)), operation_id)


@router.get("/operations/{operation_id}", responses=READS)
def get_operation(operation_id: OperationIdPath, caller: AsReader, context: ContextNeeded) -> OperationView:
    """One operation; enrolments are open to every brand."""
    with context.reading() as work:
        found = find_operation(work.session, operation_id)
    if found.brand_id is not None:
        check_reads_brand(caller, found.brand_id)
    return found


class RetryBody(Body):
    """Nothing to say: what is tried again is what it was."""


@router.post("/operations/{operation_id}/retry", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def retry(operation_id: OperationIdPath, body: RetryBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> OperationView:
    """Once more what the brand's signer refused or did not sign in time, under the same ids: after the brand's books were put right."""

    def act(work: UnitOfWork) -> str:
        operations = work.of(SqlOperations)
        stored = operations.find(OperationId(operation_id))
        if stored is None:
            raise NotFound("there is no such operation")
        check_reads_brand(caller, getattr(stored.operation, "brand_id", None))
        retry_operation(stored, operations=operations, written_off=work.of(SqlPaymentRefunds))
        return operation_id

    return show_operation(write, write.once(caller, "retry", body.content() | {"operation_id": operation_id}, act))
