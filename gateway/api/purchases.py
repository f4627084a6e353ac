"""Purchases: a brand reports a sale, the member earns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi.concurrency import run_in_threadpool
from pydantic import Field, WithJsonSchema

from gateway.api.brands import the_brand
from gateway.api.bulk import BulkView, write_all
from gateway.api.context import Context, ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsBrand, AsReader, brand_of
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import (
    MAX_BULK_ITEMS,
    AnyItem,
    Body,
    BrandIdQuery,
    ExternalIdPath,
)
from gateway.api.writes import Ahead
from gateway.bodies.purchases import PurchaseBody
from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import SqlCoalition
from gateway.loyalty.programmes.rows import SqlRules
from gateway.members.rows import SqlMembers
from gateway.purchases.ports import StoredPurchase
from gateway.purchases.purchase import Purchase, PurchaseLine
from gateway.purchases.record_purchase import payment_reference, record_purchase
from gateway.purchases.rows import SqlPurchases
from gateway.purchases.views import PurchaseView, find_purchase, find_purchases, operations_of_purchase
from gateway.rounds.rows import SqlOperations
from gateway.store.unit_of_work import UnitOfWork, new_operation_id
from gateway.values.errors import Invalid, NotPermitted
from gateway.values.ids import MemberId, OperationId

router = Router(prefix="/v1/purchases", tags=["purchases"])


class PurchasesBody(Body):
    """Items are checked one by one."""

    purchases: Annotated[
        list[Annotated[AnyItem, WithJsonSchema({"$ref": "#/components/schemas/PurchaseBody"})]],
        Field(min_length=1, max_length=MAX_BULK_ITEMS),
    ]


@router.post("", status_code=201, responses={202: {"model": PurchaseView}, **WRITES})
async def create_purchase(body: PurchaseBody, caller: AsBrand, write: WriteNeeded) -> PurchaseView:
    """Records a purchase; what it earns goes to the ledger. A payment id earns once, for ever."""
    brand_id = brand_of(caller)

    def act(work: UnitOfWork) -> str:
        stored = _record(work, brand_id, body)
        write.operation_ids = stored.operation_ids
        return stored.payment_id

    payment_id = await write.once_soon(caller, "purchase", body.content(), act, Ahead(_prefetch, brand_id, body))
    if write.operation_ids is None:
        write.operation_ids = await run_in_threadpool(_operations_of, write.context, brand_id, payment_id)
    await write.ledger_soon(write.operation_ids)
    view = await write.context.shown.find_soon(_find_all, (brand_id, payment_id))
    assert view is not None, "it was recorded"
    return view


@router.post("/bulk", status_code=201, responses={202: {"model": BulkView}, **WRITES})
def create_purchases(body: PurchasesBody, caller: AsBrand, write: WriteNeeded) -> BulkView:
    """Records many; `purchases` holds bodies as for one."""
    brand_id = brand_of(caller)

    def act(work: UnitOfWork, everything: list[PurchaseBody]) -> Any:
        _prefetch(work, brand_id, everything)

        def one(item: PurchaseBody) -> tuple[str, list[OperationId]]:
            stored = _record(work, brand_id, item)
            return stored.payment_id, stored.operation_ids

        return one

    return write_all(write, caller, "purchases", PurchaseBody, body.purchases, act)


@router.get("/{payment_id:path}", responses=READS)
def get_purchase(payment_id: ExternalIdPath, caller: AsReader, context: ContextNeeded, brand_id: BrandIdQuery = None) -> PurchaseView:
    """A purchase of the calling brand; operator and auditor name the brand."""
    brand = caller.brand_id if caller.brand_id is not None else brand_id
    if brand is None:
        raise Invalid("name the brand: ?brand_id=", field="brand_id")
    with context.reading() as work:
        return find_purchase(work.session, brand, payment_id)


def _operations_of(context: Context, brand_id: int, payment_id: str) -> list[str]:
    with context.database.read() as session:
        return operations_of_purchase(session, brand_id, payment_id)


def _find_all(work: UnitOfWork, named: Sequence[tuple[int, str]]) -> dict[tuple[int, str], PurchaseView]:
    return find_purchases(work.session, named)


def _record(work: UnitOfWork, brand_id: int, body: PurchaseBody) -> StoredPurchase:
    if body.brand_id is not None and body.brand_id != brand_id:
        the_brand(work, body.brand_id)
        raise NotPermitted(f"brand {brand_id} cannot report purchases of brand {body.brand_id}")
    return record_purchase(
        _purchase(body),
        brand=the_brand(work, brand_id),
        coalition=work.of(SqlCoalition).facts,
        rules=work.of(SqlRules),
        members=work.of(SqlMembers),
        purchases=work.of(SqlPurchases),
        brands=work.of(SqlBrands),
        operations=work.of(SqlOperations),
        new_id=new_operation_id,
        now=work.now,
    )


def _purchase(body: PurchaseBody) -> Purchase:
    lines = tuple(PurchaseLine(line.category, line.quantity, line.amount_minor) for line in body.lines)
    return Purchase(
        body.payment_id,
        None if body.member_id is None else MemberId.parse(body.member_id),
        body.store,
        body.channel,
        body.currency,
        body.gross_minor,
        body.tax_minor,
        body.paid_with_points_minor,
        body.occurred_at,
        body.business_date,
        lines,
    )


def _prefetch(work: UnitOfWork, brand_id: int, everything: list[PurchaseBody]) -> None:
    """Reads at once what recording each would look up one by one."""
    brand = the_brand(work, brand_id)
    payment_ids = [item.payment_id for item in everything]
    work.of(SqlPurchases).prefetch(brand_id, payment_ids)
    work.of(SqlOperations).prefetch_references(brand_id, [payment_reference(brand, one) for one in payment_ids])
    work.of(SqlMembers).prefetch({MemberId.parse(item.member_id) for item in everything if item.member_id is not None})
