"""Record money that went back for a purchase, and claw back its share of the points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from gateway.brands.brand import Brand, check_on_ledger
from gateway.ledger import signing
from gateway.purchases.clawback import points_due
from gateway.purchases.ports import NewRefund, PaymentRefunds, Purchases, StoredPurchase, StoredRefund
from gateway.purchases.purchase import check_dates
from gateway.rounds.operation import NewOperation, OperationKind, OperationStatus
from gateway.rounds.ports import Operations
from gateway.values.errors import NotFound
from gateway.values.references import check_external_id, check_same_content, content_hash


@dataclass(frozen=True, slots=True)
class PaymentRefund:
    """`amount_minor` of money went back for a payment."""

    refund_id: str
    payment_id: str
    amount_minor: int
    occurred_at: datetime
    business_date: date


def record_payment_refund(
    refund: PaymentRefund,
    *,
    brand: Brand,
    purchases: Purchases,
    payment_refunds: PaymentRefunds,
    operations: Operations,
    operation_id: str,
    now: int,
) -> StoredRefund:
    """The refund as kept; the same refund id with the same content is the first result again."""
    check_external_id("refund_id", refund.refund_id)
    check_dates(refund.occurred_at, refund.business_date, now)
    digest = content_hash(
        {
            "refund_id": refund.refund_id,
            "payment_id": refund.payment_id,
            "amount_minor": refund.amount_minor,
            "occurred_at": refund.occurred_at.isoformat(),
            "business_date": refund.business_date.isoformat(),
        }
    )
    known = payment_refunds.find(brand.brand_id, refund.refund_id)
    if known is not None:
        check_same_content("refund_id", refund.refund_id, known.content_hash, digest)
        return known
    purchase = purchases.find(brand.brand_id, refund.payment_id)
    if purchase is None:
        raise NotFound(f"there is no purchase with payment id {refund.payment_id}", field="payment_id")
    earlier = payment_refunds.of_payment(brand.brand_id, refund.payment_id)
    due = points_due(
        _points_issued(purchase, operations),
        purchase.paid_minor,
        sum(one.amount_minor for one in earlier),
        refund.amount_minor,
        sum(one.points_due for one in earlier),
    )
    reference = "0x" + signing.reference(brand.reference_secret, "refund", refund.refund_id).hex()
    stored = StoredRefund(refund.refund_id, refund.payment_id, refund.amount_minor, due, reference, digest, operation_id if due else None)
    if due:
        check_on_ledger(brand)
        operations.accept(_clawback(stored, purchase, brand, operation_id), now)
    payment_refunds.add(brand.brand_id, NewRefund(stored, refund.occurred_at.isoformat(), refund.business_date.isoformat()))
    return stored


def _points_issued(purchase: StoredPurchase, operations: Operations) -> int:
    """The points of a purchase, unless their issue was refused: what never came is not taken back."""
    if purchase.operation_id is None:
        return 0
    issue = operations.find(purchase.operation_id)
    return 0 if issue is not None and issue.status is OperationStatus.REFUSED else purchase.points


def _clawback(stored: StoredRefund, purchase: StoredPurchase, brand: Brand, operation_id: str) -> NewOperation:
    body = {
        "refund_id": stored.refund_id,
        "payment_id": stored.payment_id,
        "issue_reference": purchase.reference,
        "points_due": stored.points_due,
        "amount_minor": stored.amount_minor,
    }
    return NewOperation(
        operation_id,
        OperationKind.CLAWBACK,
        body,
        brand_id=brand.brand_id,
        member_id=purchase.member_id,
        points=stored.points_due,
        pending_out=stored.points_due,
        reference=stored.reference,
    )
