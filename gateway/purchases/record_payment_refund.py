"""Record money that went back for a purchase, and claw back its share of every award."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from gateway.brands.brand import Brand, check_on_ledger
from gateway.brands.ports import Brands
from gateway.ledger import signing
from gateway.ledger.awards import clawback_reference
from gateway.purchases.award import Award, AwardClawback
from gateway.purchases.clawback import points_due
from gateway.purchases.evidence_ids import check_evidence_ids
from gateway.purchases.ports import NewRefund, PaymentRefunds, Purchases, StoredRefund
from gateway.purchases.purchase import check_dates
from gateway.rounds.operation import ClawbackOperation, OperationStatus
from gateway.rounds.ports import Operations
from gateway.values.errors import NotFound
from gateway.values.ids import Hash, OperationId
from gateway.values.money import AmountMinor
from gateway.values.points import Points
from gateway.values.references import check_external_id, check_same_content, content_hash


@dataclass(frozen=True, slots=True)
class PaymentRefund:
    """`amount_minor` of money went back for a payment."""

    refund_id: str
    payment_id: str
    amount_minor: AmountMinor
    occurred_at: datetime
    business_date: date


def record_payment_refund(
    payment_refund: PaymentRefund,
    *,
    brand: Brand,
    brands: Brands,
    purchases: Purchases,
    payment_refunds: PaymentRefunds,
    operations: Operations,
    new_id: Callable[[], OperationId],
    now: int,
) -> StoredRefund:
    """The refund as kept; the same refund id with the same content is the first result again."""
    refund_id, payment_id = payment_refund.refund_id, payment_refund.payment_id
    check_external_id("refund_id", refund_id)
    check_dates(payment_refund.occurred_at, payment_refund.business_date, now)
    digest = refund_hash(payment_refund)
    known = payment_refunds.find(brand.brand_id, refund_id)
    if known is not None:
        check_same_content("refund_id", refund_id, known.content_hash, digest)
        return known
    check_evidence_ids(brand.brand_id, brands, refund_id=refund_id, payment_id=payment_id)
    purchase = purchases.find(brand.brand_id, payment_id)
    if purchase is None:
        raise NotFound(f"there is no purchase with payment id {payment_id}", field="payment_id")
    earlier = payment_refunds.of_payment(brand.brand_id, payment_id)
    refunded_before = AmountMinor(sum(one.amount_minor for one in earlier if one.failure is None))

    def due(points_issued: Points, due_before: Points) -> Points:
        return points_due(points_issued, purchase.paid_minor, refunded_before, payment_refund.amount_minor, due_before)

    due(Points(0), Points(0))  # refuses more than was paid, whether anything was earned or not
    wanted = []
    for award in purchase.awards:
        points = due(_points_issued(award, operations), Points(sum(one.points_due(award.id.number) for one in earlier)))
        if points:
            issuer = brands.find(award.id.issuer_id)
            assert issuer is not None, "an award names its issuer"
            check_on_ledger(issuer)  # of every issuer before anything is accepted
            wanted.append((award, points, issuer))
    clawbacks = [_claw_back(award, points, payment_refund, issuer, operations, new_id(), now) for award, points, issuer in wanted]
    reference = signing.reference(brand.reference_secret, "refund", refund_id)
    stored = StoredRefund(refund_id, payment_id, payment_refund.amount_minor, reference, digest, tuple(clawbacks))
    dates = payment_refund.occurred_at.isoformat(), payment_refund.business_date.isoformat()
    payment_refunds.add(brand.brand_id, NewRefund(stored, *dates))
    return stored


def refund_hash(payment_refund: PaymentRefund) -> Hash:
    """The hash of what a payment refund says, each field by name."""
    return content_hash(
        {
            "refund_id": payment_refund.refund_id,
            "payment_id": payment_refund.payment_id,
            "amount_minor": payment_refund.amount_minor,
            "occurred_at": payment_refund.occurred_at.isoformat(),
            "business_date": payment_refund.business_date.isoformat(),
        }
    )


def _points_issued(award: Award, operations: Operations) -> Points:
    """The points of an award, unless it was refused: what never came is not taken back."""
    if award.operation_id is None:
        return Points(0)
    issue = operations.find(award.operation_id)
    return Points(0) if issue is not None and issue.status is OperationStatus.REFUSED else award.points


def _claw_back(
    award: Award, points: Points, payment_refund: PaymentRefund, issuer: Brand, operations: Operations, operation_id: OperationId, now: int
) -> AwardClawback:
    reference = clawback_reference(issuer.reference_secret, award.id, payment_refund.refund_id)
    operations.accept(
        ClawbackOperation(
            operation_id,
            issuer.brand_id,
            award.member_id,
            reference,
            points,
            award.reference,
            award.id,
            payment_refund.refund_id,
            payment_refund.amount_minor,
        ),
        now,
    )
    return AwardClawback(award.id.number, issuer.brand_id, points, reference, operation_id)
