"""Record a purchase and, if it earns, issue its points. One payment earns once, for ever."""

from __future__ import annotations

from dataclasses import asdict

from gateway.brands.brand import Brand, check_active, check_limit
from gateway.coalition.coalition import Coalition
from gateway.ledger import lots, signing
from gateway.loyalty.programmes.ports import Rules
from gateway.loyalty.rule import EarningRule, rule_in_force
from gateway.members.ports import Members
from gateway.purchases.ports import Purchases, StoredPurchase
from gateway.purchases.purchase import Purchase, check_purchase
from gateway.rounds.operation import NewOperation, OperationKind
from gateway.rounds.ports import Operations
from gateway.values.errors import Invalid, NotFound, ReferenceReused, WrongState
from gateway.values.money import MAX_POINTS_PER_ENTRY
from gateway.values.references import check_same_content, content_hash


def record_purchase(
    purchase: Purchase,
    *,
    brand: Brand,
    coalition: Coalition,
    rules: Rules,
    members: Members,
    purchases: Purchases,
    operations: Operations,
    operation_id: str,
    now: int,
) -> StoredPurchase:
    """The purchase as kept; the same payment id with the same content is the first result again."""
    check_purchase(purchase, coalition.currency, now)
    digest = purchase_hash(purchase)
    known = purchases.find(brand.brand_id, purchase.payment_id)
    if known is not None:
        check_same_content("payment_id", purchase.payment_id, known.content_hash, digest)
        return known
    reference = "0x" + signing.reference(brand.reference_secret, "payment", purchase.payment_id).hex()
    if operations.by_reference(brand.brand_id, reference)[0]:
        raise ReferenceReused(f"payment {purchase.payment_id} earned before", field="payment_id", reference=purchase.payment_id)
    rule = _rule_for(purchase, rules.published(brand.brand_id))
    points = _points_for(purchase, brand, rule, members)
    stored = StoredPurchase(
        purchase.payment_id,
        purchase.member_id,
        purchase.paid_minor,
        points,
        rule.version,
        reference,
        digest,
        operation_id if points else None,
    )
    if points:
        check_active(brand, "issue points")
        check_limit(brand, operations.pending_issues(brand.brand_id), points)
        operations.accept(_issue(purchase, stored, brand, coalition, operation_id, now), now)
    purchases.add(brand.brand_id, purchase, stored)
    return stored


def purchase_hash(purchase: Purchase) -> str:
    """The hash of everything that a purchase says."""
    content = asdict(purchase)
    return content_hash({**content, "occurred_at": purchase.occurred_at.isoformat(), "business_date": purchase.business_date.isoformat()})


def _rule_for(purchase: Purchase, published: list[EarningRule]) -> EarningRule:
    rule = rule_in_force(published, int(purchase.occurred_at.timestamp()))
    if rule is None:
        raise WrongState("the brand had no earning rule in force when this purchase happened: publish one first")
    return rule


def _points_for(purchase: Purchase, brand: Brand, rule: EarningRule, members: Members) -> int:
    if purchase.member_id is None:
        return 0
    if members.find(purchase.member_id) is None:
        raise NotFound(f"there is no member {purchase.member_id}", field="member_id")
    points = rule.points_for(purchase.earn_base_minor(brand.earn_on_tax))
    if points > MAX_POINTS_PER_ENTRY:
        raise Invalid(f"this purchase would earn {points} points, more than {MAX_POINTS_PER_ENTRY}", points=points)
    return points


def _issue(purchase: Purchase, stored: StoredPurchase, brand: Brand, coalition: Coalition, operation_id: str, now: int) -> NewOperation:
    body = {
        "payment_id": purchase.payment_id,
        "points": stored.points,
        "expiry_day": lots.expiry_day_for(now, coalition.utc_offset_seconds, brand.lot_validity_months),
        "rule_version": stored.rule_version,
        "sale": {
            "gross_minor": purchase.gross_minor,
            "tax_minor": purchase.tax_minor,
            "paid_with_points_minor": purchase.paid_with_points_minor,
            "currency": purchase.currency,
            "occurred_at": purchase.occurred_at.isoformat(),
        },
    }
    return NewOperation(
        operation_id,
        OperationKind.ISSUE,
        body,
        brand_id=brand.brand_id,
        member_id=purchase.member_id,
        points=stored.points,
        reference=stored.reference,
    )
