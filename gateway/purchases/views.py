"""Purchases and payment refunds with the operations that came of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.purchases.tables import PaymentRefundRow, PurchaseLineRow, PurchaseRow
from gateway.rounds.views import OperationView, find_operation
from gateway.values.errors import NotFound


@dataclass(frozen=True, slots=True)
class PurchaseLineView:
    category: str
    quantity: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PurchaseView:
    """`operation` is empty where the purchase earned nothing."""

    brand_id: int
    payment_id: str
    member_id: str | None
    store: str
    channel: str
    currency: str
    gross_minor: int
    tax_minor: int
    paid_with_points_minor: int
    occurred_at: str
    business_date: str
    rule_version: int
    points: int
    reference: str
    lines: list[PurchaseLineView]
    operation: OperationView | None


@dataclass(frozen=True, slots=True)
class PaymentRefundView:
    """`points_due` is this refund's share; `points_short` of them had been spent and are written off against the issuing brand."""

    brand_id: int
    refund_id: str
    payment_id: str
    amount_minor: int
    occurred_at: str
    business_date: str
    points_due: int
    points_short: int
    reference: str
    operation: OperationView | None


def find_purchase(session: Session, brand_id: int, payment_id: str) -> PurchaseView:
    """Refuses a payment id that the brand has not used."""
    row = session.scalar(select(PurchaseRow).where(PurchaseRow.brand_id == brand_id, PurchaseRow.payment_id == payment_id))
    if row is None:
        raise NotFound(f"there is no purchase with payment id {payment_id}")
    lines = session.scalars(
        select(PurchaseLineRow).where(PurchaseLineRow.purchase_id == row.purchase_id).order_by(PurchaseLineRow.line_number)
    )
    return PurchaseView(
        row.brand_id,
        row.payment_id,
        row.member_id,
        row.store,
        row.channel,
        row.currency,
        row.gross_minor,
        row.tax_minor,
        row.paid_with_points_minor,
        row.occurred_at,
        row.business_date,
        row.rule_version,
        row.points,
        row.reference,
        [PurchaseLineView(line.category, line.quantity, line.amount_minor) for line in lines],
        None if row.operation_id is None else find_operation(session, row.operation_id),
    )


def find_payment_refund(session: Session, brand_id: int, refund_id: str) -> PaymentRefundView:
    """Refuses a refund id that the brand has not used."""
    row = session.scalar(select(PaymentRefundRow).where(PaymentRefundRow.brand_id == brand_id, PaymentRefundRow.refund_id == refund_id))
    if row is None:
        raise NotFound(f"there is no payment refund {refund_id}")
    return PaymentRefundView(
        row.brand_id,
        row.refund_id,
        row.payment_id,
        row.amount_minor,
        row.occurred_at,
        row.business_date,
        row.points_due,
        row.points_short,
        row.reference,
        None if row.operation_id is None else find_operation(session, row.operation_id),
    )
