"""Column mappings: how a brand's own CSV files are read. A change is the next version."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field

from gateway.api.context import ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsBrand, brand_of
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import Body
from gateway.payments.rows import SqlColumnMappings
from gateway.payments.save_column_mapping import save_column_mapping
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.errors import NotFound

router = Router(prefix="/v1/column-mappings", tags=["reconciliation"])
MappingNamePath = Annotated[str, Path(min_length=1, max_length=64)]


class ColumnMappingBody(Body):
    """`definition` names the columns and how their values are written."""

    name: str = Field(max_length=64, examples=["till"])
    definition: dict[str, Any] = Field(
        examples=[
            {
                "delimiter": ",",
                "encoding": "utf-8",
                "date_format": "%Y-%m-%d %H:%M:%S",
                "time_zone": "America/New_York",
                "columns": {"transaction_id": "Txn", "payment_id": "Order", "occurred_at": "Date", "amount": "Amount", "type": "Type"},
                "currency": "USD",
                "type_values": {"SALE": "charge", "REFUND": "refund"},
                "refund_sign": "negative",
                "trailer": {"marker": "TOTAL", "count_field": 1, "sum_field": 2},
            }
        ]
    )


class ColumnMappingView(BaseModel):
    """A published version. Files of it have the layout `mapped:<name>@<version>`."""

    name: str
    version: int
    layout: str
    definition: dict[str, Any]


@router.post("", status_code=201, responses=WRITES)
def create_column_mapping(body: ColumnMappingBody, caller: AsBrand, write: WriteNeeded) -> ColumnMappingView:
    """Saves a mapping; the definition already in force is that version again."""

    def act(work: UnitOfWork) -> str:
        mappings = work.of(SqlColumnMappings)
        return str(save_column_mapping(brand_of(caller), body.name, body.definition, mappings=mappings, now=work.now).version)

    version = write.once(caller, "column_mapping", body.content(), act)
    if "Idempotent-Replayed" in write.response.headers:
        write.response.status_code = 200
    return _view(write.context, brand_of(caller), body.name, int(version))


@router.get("/{name}", responses=READS)
def get_column_mapping(name: MappingNamePath, caller: AsBrand, context: ContextNeeded, version: int | None = None) -> ColumnMappingView:
    """A version of a mapping, by default the newest."""
    return _view(context, brand_of(caller), name, version)


def _view(context: ContextNeeded, brand_id: int, name: str, version: int | None) -> ColumnMappingView:
    with context.reading() as work:
        mappings = work.of(SqlColumnMappings)
        if version is None:
            latest = mappings.latest(brand_id, name)
            version, definition = latest if latest is not None else (0, None)
        else:
            definition = mappings.version(brand_id, name, version) if 0 < version < 2**31 else None
    if definition is None:
        raise NotFound("there is no such column mapping of your brand")
    return ColumnMappingView(name=name, version=version, layout=f"mapped:{name}@{version}", definition=json.loads(definition))
