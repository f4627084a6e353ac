"""Purchases and payment refunds with the operations that came of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, tuple_
from sqlalchemy.orm import Session

from gateway.projection.tables import LedgerEntryRow
from gateway.purchases.award import AwardRestore
from gateway.purchases.rows import clawbacks_of, restores_of
from gateway.purchases.tables import AwardClawbackRow, AwardRow, PaymentRefundRow, PurchaseLineRow, PurchaseRow, RefundFailureRow
from gateway.rounds.operation import OperationKind
from gateway.rounds.views import OperationView, find_operation, find_operations
from gateway.values.errors import NotFound
from gateway.values.hex import hex_text_or_none


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
    points: int  # of all awards; `operation` is the first one's that was accepted
    reference: str
    lines: list[PurchaseLineView]
    operation: OperationView | None


@dataclass(frozen=True, slots=True)
class PaymentRefundView:
    """`points_due` is this refund's share; `points_short` of them had been spent and are written off against the issuing brand, or still
    to come where it carries them. `failed`: the money did not go back; `points_restored` went back to the member since then."""

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
    failed: bool
    points_restored: int
    restores: list[OperationView]


def find_purchase(session: Session, brand_id: int, payment_id: str) -> PurchaseView:
    """Refuses a payment id that the brand has not used."""
    found = find_purchases(session, [(brand_id, payment_id)])
    if not found:
        raise NotFound(f"there is no purchase with payment id {payment_id}")
    return found[brand_id, payment_id]


def find_purchases(session: Session, named: Sequence[tuple[int, str]]) -> dict[tuple[int, str], PurchaseView]:
    """Those of the purchases that are there, by brand and payment id; a few hundred at most are asked for."""
    rows = session.execute(_PURCHASES, {"named": named}).all()
    ids = [row.purchase_id for row in rows]
    lines: dict[int, list[PurchaseLineView]] = defaultdict(list)
    for purchase_id, category, quantity, amount_minor in session.execute(_LINES, {"of": ids}):
        lines[purchase_id].append(PurchaseLineView(category, quantity, amount_minor))
    points: Counter[int] = Counter()
    first: dict[int, str] = {}
    for purchase_id, operation_id, given in session.execute(_GIVEN, {"of": ids}):
        points[purchase_id] += given
        if operation_id is not None:
            first.setdefault(purchase_id, operation_id)
    operations = find_operations(session, first.values())
    return {
        (row.brand_id, row.payment_id): PurchaseView(
            row.brand_id,
            row.payment_id,
            hex_text_or_none(row.member_id),
            row.store,
            row.channel,
            row.currency,
            row.gross_minor,
            row.tax_minor,
            row.paid_with_points_minor,
            row.occurred_at,
            row.business_date,
            row.rule_version,
            points[row.purchase_id],
            str(row.reference),
            lines[row.purchase_id],
            operations[first[row.purchase_id]] if row.purchase_id in first else None,
        )
        for row in rows
    }


_PURCHASES = select(
    PurchaseRow.purchase_id,
    PurchaseRow.brand_id,
    PurchaseRow.payment_id,
    PurchaseRow.member_id,
    PurchaseRow.store,
    PurchaseRow.channel,
    PurchaseRow.currency,
    PurchaseRow.gross_minor,
    PurchaseRow.tax_minor,
    PurchaseRow.paid_with_points_minor,
    PurchaseRow.occurred_at,
    PurchaseRow.business_date,
    PurchaseRow.rule_version,
    PurchaseRow.reference,
).where(tuple_(PurchaseRow.brand_id, PurchaseRow.payment_id).in_(bindparam("named", expanding=True)))
_LINES = (
    select(PurchaseLineRow.purchase_id, PurchaseLineRow.category, PurchaseLineRow.quantity, PurchaseLineRow.amount_minor)
    .where(PurchaseLineRow.purchase_id.in_(bindparam("of", expanding=True)))
    .order_by(PurchaseLineRow.purchase_id, PurchaseLineRow.line_number)
)
_GIVEN = (
    select(AwardRow.purchase_id, AwardRow.operation_id, AwardRow.points)
    .where(AwardRow.purchase_id.in_(bindparam("of", expanding=True)), AwardRow.operation_id.is_not(None))
    .order_by(AwardRow.purchase_id, AwardRow.number)
)


def find_payment_refund(session: Session, brand_id: int, refund_id: str) -> PaymentRefundView:
    """Refuses a refund id that the brand has not used."""
    row = session.scalar(select(PaymentRefundRow).where(PaymentRefundRow.brand_id == brand_id, PaymentRefundRow.refund_id == refund_id))
    if row is None:
        raise NotFound(f"there is no payment refund {refund_id}")
    clawbacks = clawbacks_of(session, [row]).get(row.payment_refund_id, [])
    restores = restores_of(session, [row.payment_refund_id])[row.payment_refund_id]
    return PaymentRefundView(
        row.brand_id,
        row.refund_id,
        row.payment_id,
        row.amount_minor,
        row.occurred_at,
        row.business_date,
        sum(one.points_due for one in clawbacks),
        sum(one.points_short for one in clawbacks),
        str(row.reference),
        _first_operation(session, clawbacks),
        session.get(RefundFailureRow, row.payment_refund_id) is not None,
        _points_on_ledger(session, restores),
        [find_operation(session, one.operation_id) for one in restores],
    )


def _first_operation(session: Session, parts: Sequence[AwardClawbackRow]) -> OperationView | None:
    """That of the brand's own base award where there is one: it comes first."""
    first = parts[0].operation_id if parts else None
    return None if first is None else find_operation(session, first)


def _points_on_ledger(session: Session, restores: Sequence[AwardRestore]) -> int:
    entry = LedgerEntryRow
    accepted = entry.kind == OperationKind.RESTORE.value, entry.refused_reason.is_(None)
    places = [(one.issuer_id, one.reference) for one in restores]
    given = select(func.coalesce(func.sum(entry.points), 0)).where(*accepted, tuple_(entry.brand_id, entry.reference).in_(places))
    return int(session.scalar(given) or 0) if places else 0


def operations_of_purchase(session: Session, brand_id: int, payment_id: str) -> list[str]:
    """The operations of a purchase's awards."""
    awards = select(AwardRow.operation_id).join(PurchaseRow, PurchaseRow.purchase_id == AwardRow.purchase_id)
    named = PurchaseRow.brand_id == brand_id, PurchaseRow.payment_id == payment_id, AwardRow.operation_id.is_not(None)
    return [found for found in session.scalars(awards.where(*named).order_by(AwardRow.number)) if found is not None]


def operations_of_refund(session: Session, brand_id: int, refund_id: str) -> list[str]:
    """The operations of a payment refund's clawbacks."""
    clawbacks = select(AwardClawbackRow.operation_id).join(
        PaymentRefundRow, PaymentRefundRow.payment_refund_id == AwardClawbackRow.payment_refund_id
    )
    named = PaymentRefundRow.brand_id == brand_id, PaymentRefundRow.refund_id == refund_id
    return list(session.scalars(clawbacks.where(*named).order_by(AwardClawbackRow.number)))


def restores_of_refund(session: Session, brand_id: int, refund_id: str) -> list[str]:
    """The operations that give back what a failed payment refund took."""
    named = PaymentRefundRow.brand_id == brand_id, PaymentRefundRow.refund_id == refund_id
    row = session.scalars(select(PaymentRefundRow.payment_refund_id).where(*named)).one()
    return [one.operation_id for one in restores_of(session, [row])[row]]
