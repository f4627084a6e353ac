"""A payment refund failed, the money did not go back: what it took of every award is given back to the member, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.brands.brand import Brand, check_on_ledger
from gateway.brands.ports import Brands
from gateway.ledger.lot_references import restore_reference
from gateway.purchases.award import Award, AwardClawback, AwardRestore
from gateway.purchases.clawback import points_restored
from gateway.purchases.ports import PaymentRefunds, Purchases, StoredFailure, StoredRefund
from gateway.purchases.purchase import check_dates
from gateway.rounds.lot_operation import RestoreOperation
from gateway.rounds.operation import OperationStatus
from gateway.rounds.ports import Operations
from gateway.values.errors import NotFound
from gateway.values.ids import Hash, OperationId
from gateway.values.money import AmountMinor
from gateway.values.points import Points
from gateway.values.references import check_same_content, content_hash


@dataclass(frozen=True, slots=True)
class RefundFailure:
    """The refund that failed, and when that was known."""

    refund_id: str
    occurred_at: datetime


def fail_payment_refund(
    failure: RefundFailure,
    *,
    brand: Brand,
    brands: Brands,
    purchases: Purchases,
    payment_refunds: PaymentRefunds,
    operations: Operations,
    new_id: Callable[[], OperationId],
    now: int,
) -> StoredFailure:
    """What is given back; the same refund again is the first result again. A refund fails wholly, and later refunds count without it."""
    check_dates(failure.occurred_at, failure.occurred_at.date(), now)
    refund = payment_refunds.find(brand.brand_id, failure.refund_id)
    if refund is None:
        raise NotFound(f"there is no payment refund {failure.refund_id}: record it first", field="refund_id")
    digest = failure_hash(failure)
    if refund.failure is not None:
        check_same_content("refund_id", refund.refund_id, refund.failure.content_hash, digest)
        return refund.failure
    purchase = purchases.find(brand.brand_id, refund.payment_id)
    assert purchase is not None, "a payment refund names a purchase"
    of_payment = payment_refunds.of_payment(brand.brand_id, refund.payment_id)
    left = AmountMinor(sum(one.amount_minor for one in of_payment if one.failure is None and one.refund_id != refund.refund_id))
    wanted = []
    for award, clawback in _taken(purchase.awards, refund, operations):
        issuer = brands.find(award.id.issuer_id)
        assert issuer is not None, "an award names its issuer"
        check_on_ledger(issuer)  # of every issuer before anything is accepted
        wanted.append((award, clawback, issuer))
    restores = []
    for award, clawback, issuer in wanted:
        due_before = Points(sum(one.points_due(award.id.number) for one in of_payment))
        due, others_due = points_restored(award.points, purchase.paid_minor, left, due_before, clawback.points_due)
        reference, operation_id = restore_reference(issuer.reference_secret, award.id, refund.refund_id), new_id()
        whose = operation_id, issuer.brand_id, award.member_id, reference
        took = due, clawback.points_due, others_due, refund.references_of(award.id.number)
        operations.accept(RestoreOperation(*whose, *took, award.reference, award.id, refund.refund_id), now)
        restores.append(AwardRestore(award.id.number, issuer.brand_id, due, reference, operation_id))
    stored = StoredFailure(digest, tuple(restores))
    payment_refunds.add_failure(brand.brand_id, refund.refund_id, stored, failure.occurred_at.isoformat())
    return stored


def failure_hash(failure: RefundFailure) -> Hash:
    """The hash of what a failure says."""
    return content_hash({"refund_id": failure.refund_id, "occurred_at": failure.occurred_at.isoformat()})


def _taken(awards: tuple[Award, ...], refund: StoredRefund, operations: Operations) -> list[tuple[Award, AwardClawback]]:
    """The awards that the refund takes of, but for those whose clawback was refused and never came later: nothing is gone there."""
    found = []
    for clawback in refund.clawbacks:
        award = next(one for one in awards if one.id.number == clawback.number)
        first = operations.find(clawback.operation_id)
        is_refused = first is not None and first.status is OperationStatus.REFUSED
        if not is_refused or len(refund.references_of(clawback.number)) > 1:
            found.append((award, clawback))
    return found
