"""Payment refunds: money went back, so its share of the points goes back."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from gateway.api.brands import the_brand
from gateway.api.bulk import BulkView, write_all
from gateway.api.context import ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsBrand, AsReader, brand_of
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import MAX_BULK_ITEMS, AnyItem, Body, BrandIdQuery, ExternalIdPath
from gateway.bodies.purchases import PaymentRefundBody, RefundFailureBody
from gateway.brands.rows import SqlBrands
from gateway.purchases.clawback import NOTHING_TAKEN, WRITTEN_OFF
from gateway.purchases.fail_payment_refund import RefundFailure, fail_payment_refund
from gateway.purchases.ports import StoredRefund
from gateway.purchases.record_payment_refund import PaymentRefund, record_payment_refund
from gateway.purchases.rows import SqlPaymentRefunds, SqlPurchases
from gateway.purchases.views import PaymentRefundView, find_payment_refund, operations_of_refund, restores_of_refund
from gateway.rounds.rows import SqlOperations
from gateway.store.unit_of_work import UnitOfWork, new_operation_id
from gateway.values.errors import Invalid
from gateway.values.ids import OperationId

router = Router(prefix="/v1/payment-refunds", tags=["payment refunds"])


class PaymentRefundsBody(Body):
    """Items are checked one by one."""

    payment_refunds: Annotated[
        list[Annotated[AnyItem, WithJsonSchema({"$ref": "#/components/schemas/PaymentRefundBody"})]],
        Field(min_length=1, max_length=MAX_BULK_ITEMS),
    ]


@router.post("", status_code=201, responses={202: {"model": PaymentRefundView}, **WRITES})
def create_payment_refund(body: PaymentRefundBody, caller: AsBrand, write: WriteNeeded) -> PaymentRefundView:
    """Records a payment refund; the points due are clawed back. What the member has spent is written off against the issuing brand:
    `points_short` says how much, also where it is all of them."""
    brand_id = brand_of(caller)
    refund_id = write.once(caller, "payment_refund", body.content(), lambda work: _record(work, brand_id, body).refund_id)
    with write.context.database.read() as session:
        operation_ids = operations_of_refund(session, brand_id, refund_id)
    write.await_ledger(operation_ids, done_by=(WRITTEN_OFF,))
    with write.context.database.read() as session:
        return find_payment_refund(session, brand_id, refund_id)


@router.post("/bulk", status_code=201, responses={202: {"model": BulkView}, **WRITES})
def create_payment_refunds(body: PaymentRefundsBody, caller: AsBrand, write: WriteNeeded) -> BulkView:
    """Records many; `payment_refunds` holds bodies as for one."""
    brand_id = brand_of(caller)

    def act(work: UnitOfWork, everything: list[PaymentRefundBody]) -> Any:
        work.of(SqlPurchases).prefetch(brand_id, [item.payment_id for item in everything])

        def one(item: PaymentRefundBody) -> tuple[str, list[OperationId]]:
            stored = _record(work, brand_id, item)
            return stored.refund_id, [clawback.operation_id for clawback in stored.clawbacks]

        return one

    return write_all(write, caller, "payment_refunds", PaymentRefundBody, body.payment_refunds, act)


@router.post("/{refund_id:path}/failure", status_code=201, responses={202: {"model": PaymentRefundView}, **WRITES})
def create_refund_failure(refund_id: ExternalIdPath, body: RefundFailureBody, caller: AsBrand, write: WriteNeeded) -> PaymentRefundView:
    """The refund failed, the money did not go back: what it took of the member's points goes back to her, once."""
    brand_id = brand_of(caller)

    def act(work: UnitOfWork) -> str:
        fail_payment_refund(RefundFailure(refund_id, body.occurred_at), **_needs(work, brand_id))
        return refund_id

    write.once(caller, "refund_failure", body.content(), act)
    with write.context.database.read() as session:
        operation_ids = restores_of_refund(session, brand_id, refund_id)
    write.await_ledger(operation_ids, done_by=(NOTHING_TAKEN,))
    with write.context.database.read() as session:
        return find_payment_refund(session, brand_id, refund_id)


@router.get("/{refund_id:path}", responses=READS)
def get_payment_refund(
    refund_id: ExternalIdPath, caller: AsReader, context: ContextNeeded, brand_id: BrandIdQuery = None
) -> PaymentRefundView:
    """A payment refund of the calling brand; operator and auditor name the brand."""
    brand = caller.brand_id if caller.brand_id is not None else brand_id
    if brand is None:
        raise Invalid("name the brand: ?brand_id=", field="brand_id")
    with context.reading() as work:
        return find_payment_refund(work.session, brand, refund_id)


def _record(work: UnitOfWork, brand_id: int, body: PaymentRefundBody) -> StoredRefund:
    return record_payment_refund(
        PaymentRefund(body.refund_id, body.payment_id, body.amount_minor, body.occurred_at, body.business_date), **_needs(work, brand_id)
    )


def _needs(work: UnitOfWork, brand_id: int) -> dict[str, Any]:
    return {
        "brand": the_brand(work, brand_id),
        "brands": work.of(SqlBrands),
        "purchases": work.of(SqlPurchases),
        "payment_refunds": work.of(SqlPaymentRefunds),
        "operations": work.of(SqlOperations),
        "new_id": new_operation_id,
        "now": work.now,
    }
