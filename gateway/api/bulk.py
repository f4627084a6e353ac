"""Bulk writes: each item stands for itself, one bad item does not stop the others, and the outcome can be shown again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.access.api_key import Caller
from gateway.access.rows import SqlBulkResults
from gateway.api.idempotency import Write
from gateway.api.problems import Problem, invalid_fields, problem_of
from gateway.api.shapes import Body
from gateway.rounds.views import OperationView, find_operations
from gateway.store.unit_of_work import UnitOfWork, new_id
from gateway.values.errors import Refusal
from gateway.values.json_text import compact_json

_Item = TypeVar("_Item", bound=Body)


class BulkItem(BaseModel):
    """What became of the item at `index`. `id` is the item's own id; `operation` is empty where nothing goes to the ledger;
    it is the first of `operation_ids`, which are more where several awards came of the item."""

    index: int
    status: Literal["accepted", "refused"]
    id: str | None = None
    operation: OperationView | None = None
    operation_ids: list[str] = []
    problem: Problem | None = None


class BulkView(BaseModel):
    accepted: int
    refused: int
    results: list[BulkItem]


def write_all(
    write: Write,
    caller: Caller,
    kind: str,
    shape: type[_Item],
    items: Sequence[Any],
    act: Callable[[UnitOfWork, list[_Item]], Callable[[_Item], tuple[str, Sequence[str]]]],
) -> BulkView:
    """Every item through `act(work, all good items)`, which gives the function for one item: (its id, its operations' ids)."""

    def act_on_all(work: UnitOfWork) -> str:
        bulk_id = new_id()
        parsed = [_parsed(shape, item) for item in items]
        act_on_one = act(work, [item for item in parsed if not isinstance(item, Problem)])
        results = [_result(act_on_one, item) for item in parsed]
        work.of(SqlBulkResults).add(bulk_id, kind, compact_json(results), work.now)
        return bulk_id

    bulk_id = write.once(caller, kind, {"items": list(items)}, act_on_all)
    with write.context.reading() as work:
        stored: list[dict[str, Any]] = json.loads(work.of(SqlBulkResults).find(bulk_id) or "[]")
    write.await_ledger([operation_id for result in stored for operation_id in result["operation_ids"]], one=False)
    first_ids = [next(iter(result["operation_ids"]), None) for result in stored]
    with write.context.database.read() as session:
        operations = find_operations(session, [operation_id for operation_id in first_ids if operation_id])
    results = [
        BulkItem(
            index=index,
            status="refused" if result["problem"] else "accepted",
            id=result["id"],
            operation=operations.get(operation_id) if operation_id else None,
            operation_ids=result["operation_ids"],
            problem=result["problem"],
        )
        for index, (result, operation_id) in enumerate(zip(stored, first_ids, strict=True))
    ]
    refused = sum(result.status == "refused" for result in results)
    return BulkView(accepted=len(results) - refused, refused=refused, results=results)


def _parsed(shape: type[_Item], item: Any) -> _Item | Problem:
    try:
        return shape.model_validate(item)
    except ValidationError as error:
        return invalid_fields(error.errors(include_url=False, include_context=False, include_input=False))


def _result(act_on_one: Callable[[_Item], tuple[str, Sequence[str]]], item: _Item | Problem) -> dict[str, Any]:
    if isinstance(item, Problem):
        return {"id": None, "operation_ids": [], "problem": item.model_dump()}
    try:
        resource_id, operation_ids = act_on_one(item)
    except Refusal as refusal:
        return {"id": None, "operation_ids": [], "problem": problem_of(refusal).model_dump()}
    return {"id": resource_id, "operation_ids": list(operation_ids), "problem": None}
