"""Record a purchase and issue what it is awarded. One payment earns once, for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gateway.brands.brand import Brand, check_issues, check_limit
from gateway.brands.ports import Brands
from gateway.coalition.coalition import Coalition
from gateway.ledger import lots
from gateway.ledger.awards import FIRST, AwardId, award_reference
from gateway.ledger.decision import Decision
from gateway.ledger.signing import reference as keyed_hash
from gateway.loyalty.evaluate import AwardDue, awards_due
from gateway.loyalty.programmes.ports import Rules
from gateway.loyalty.rule import EarningRule, rule_in_force
from gateway.members.ports import Members
from gateway.purchases.award import Award
from gateway.purchases.evidence_ids import check_evidence_ids
from gateway.purchases.ports import Purchases, StoredPurchase
from gateway.purchases.purchase import Purchase, check_purchase
from gateway.rounds.operation import IssueOperation, SaleFacts
from gateway.rounds.ports import Operations
from gateway.values.errors import Invalid, NotFound, ReferenceReused, Refusal, WrongState
from gateway.values.hex import hex_text_or_none
from gateway.values.ids import Hash, MemberId, OperationId, Reference
from gateway.values.json_text import canonical_json
from gateway.values.money import AmountMinor
from gateway.values.points import MAX_POINTS_PER_ENTRY, MOST_POINTS_KEPT, Points
from gateway.values.references import check_same_content, content_hash

Evaluate = Callable[[int, EarningRule, AmountMinor], Sequence[AwardDue]]
"""(selling brand, its base rule in force, earn base) → the awards in their order"""


def record_purchase(
    purchase: Purchase,
    *,
    brand: Brand,
    coalition: Coalition,
    brands: Brands,
    rules: Rules,
    members: Members,
    purchases: Purchases,
    operations: Operations,
    new_id: Callable[[], OperationId],
    now: int,
    evaluate: Evaluate = awards_due,
) -> StoredPurchase:
    """The purchase as kept; the same payment id with the same content is the first result again.

    Each award stands for itself: one that its issuer cannot give now is kept as refused and leaves the others. Where none can be given, the
    purchase is refused as a whole and may come again.
    """
    check_purchase(purchase, coalition.currency, now)
    digest = purchase_hash(purchase)
    known = purchases.find(brand.brand_id, purchase.payment_id)
    if known is not None:
        check_same_content("payment_id", purchase.payment_id, known.content_hash, digest)
        return known
    check_evidence_ids(brand.brand_id, brands, payment_id=purchase.payment_id)
    reference = payment_reference(brand, purchase.payment_id)
    has_earned, _ = operations.by_reference(brand.brand_id, reference)
    rule = _rule_for(purchase, rules.published(brand.brand_id))
    awards: tuple[Award, ...] = ()
    if purchase.member_id is not None:
        if members.find(purchase.member_id) is None:
            raise NotFound(f"there is no member {purchase.member_id}", field="member_id")
        giving = _Giving(purchase, purchase.member_id, brand, coalition, brands, operations, new_id, now)
        awards = giving.all(evaluate(brand.brand_id, rule, purchase.earn_base_minor(brand.earn_on_tax)))
    if has_earned and reference not in {award.reference for award in awards}:
        raise earned_before(purchase.payment_id)
    paid = purchase.paid_minor
    stored = StoredPurchase(purchase.payment_id, purchase.member_id, paid, rule.version, reference, digest, awards)
    purchases.add(brand.brand_id, purchase, stored)
    return stored


def payment_reference(brand: Brand, payment_id: str) -> Reference:
    """Where a brand's own first award of a payment stands, and what says that the payment has earned."""
    return award_reference(brand.reference_secret, AwardId(brand.brand_id, payment_id, FIRST, brand.brand_id))


def earned_before(payment_id: str) -> ReferenceReused:
    """An award of the payment stands on the ledger already, other than it would be given now, and no purchase here says so."""
    return ReferenceReused(f"payment {payment_id} earned before", field="payment_id", reference=payment_id)


def purchase_hash(purchase: Purchase) -> Hash:
    """The hash of what a purchase says. It names each field: one that is added must not change the hash of a purchase without it."""
    return content_hash(_facts(purchase))


def _facts(purchase: Purchase) -> dict[str, object]:
    lines = [{"category": line.category, "quantity": line.quantity, "amount_minor": line.amount_minor} for line in purchase.lines]
    return {
        "payment_id": purchase.payment_id,
        "member_id": hex_text_or_none(purchase.member_id),
        "store": purchase.store,
        "channel": purchase.channel,
        "currency": purchase.currency,
        "gross_minor": purchase.gross_minor,
        "tax_minor": purchase.tax_minor,
        "paid_with_points_minor": purchase.paid_with_points_minor,
        "occurred_at": purchase.occurred_at.isoformat(),
        "business_date": purchase.business_date.isoformat(),
        "lines": lines,
    }


def _rule_for(purchase: Purchase, published: list[EarningRule]) -> EarningRule:
    rule = rule_in_force(published, int(purchase.occurred_at.timestamp()))
    if rule is None:
        raise WrongState("the brand had no earning rule in force when this purchase happened: publish one first")
    return rule


@dataclass(frozen=True, slots=True)
class _Giving:
    """Turns what is due into accepted issues, each within its issuer's limit."""

    purchase: Purchase
    member_id: MemberId
    brand: Brand
    coalition: Coalition
    brands: Brands
    operations: Operations
    new_id: Callable[[], OperationId]
    now: int

    def all(self, due: Sequence[AwardDue]) -> tuple[Award, ...]:
        awards, refusals = [], []
        wanted = [(number, one, self._issuer(one)) for number, one in enumerate(due, start=FIRST)]
        for number, one, issuer in wanted:  # whatever of it was given before, under a first award that was refused: it has earned
            self._check_unused(number, one, issuer)
        for number, one, issuer in wanted:
            try:
                awards.append(self._accept(number, one, issuer))
            except Refusal as refusal:
                refusals.append(refusal)
                shown = replace(one, points=Points(min(one.points, MOST_POINTS_KEPT)))
                awards.append(self._award(number, shown, issuer, None, refusal.code))
        if refusals and len(refusals) == len(awards):
            raise refusals[0]
        return tuple(awards)

    def _check_unused(self, number: int, due: AwardDue, issuer: Brand) -> None:
        """What the ledger has already may come again, as it stands there, to a gateway that knows nothing of it any more."""
        reference = award_reference(issuer.reference_secret, self._id(number, issuer))
        if not self.operations.by_reference(issuer.brand_id, reference)[0]:
            return
        if self.operations.as_on_ledger(self._issue(self._award(number, due, issuer, OperationId(""), None))) is None:
            raise earned_before(self.purchase.payment_id)

    def _accept(self, number: int, due: AwardDue, issuer: Brand) -> Award:
        if due.points > MAX_POINTS_PER_ENTRY:
            raise Invalid(f"this purchase would earn {due.points} points, more than {MAX_POINTS_PER_ENTRY}", points=due.points)
        award = self._award(number, due, issuer, self.new_id(), None)
        issue = self._issue(award)
        there = self.operations.as_on_ledger(issue)
        if isinstance(there, IssueOperation):
            award, issue = replace(award, expiry_day=there.expiry_day), there
        else:
            check_issues(issuer)
            check_limit(issuer, self.operations.pending_issues(issuer.brand_id), due.points)
        self.operations.accept(issue, self.now)
        return award

    def _issue(self, award: Award) -> IssueOperation:
        assert award.operation_id is not None
        what = award.reference, award.points, award.expiry_day, award.rule_version, award.id, award.decision
        return IssueOperation(award.operation_id, award.id.issuer_id, self.member_id, *what, self._sale())

    def _award(self, number: int, due: AwardDue, issuer: Brand, operation_id: OperationId | None, refused: str | None) -> Award:
        award_id = self._id(number, issuer)
        reference = award_reference(issuer.reference_secret, award_id)
        return Award(
            award_id,
            self.member_id,
            due.points,
            lots.expiry_day_for(self.now, self.coalition.utc_offset_seconds, issuer.lot_validity_months),
            due.rule,
            due.rule_version,
            canonical_json(dict(due.why)),
            reference,
            operation_id,
            refused,
            self._decision(number, due, keyed_hash(issuer.reference_secret, "decision", str(reference))),
        )

    def _decision(self, number: int, due: AwardDue, salt: bytes) -> Decision:
        """The purchase as it was told, and what the rule made of it."""
        given = {"award": number, "issuer_id": due.issuer_id, "points": due.points, "rule": due.rule, "rule_version": due.rule_version}
        return Decision.of(salt, {**_facts(self.purchase), **given, "why": dict(due.why)})

    def _issuer(self, due: AwardDue) -> Brand:
        issuer = self.brands.find(due.issuer_id)
        if issuer is None:
            raise AssertionError(f"an award of brand {due.issuer_id}, which is not there")
        return issuer

    def _id(self, number: int, issuer: Brand) -> AwardId:
        return AwardId(self.brand.brand_id, self.purchase.payment_id, number, issuer.brand_id)

    def _sale(self) -> SaleFacts:
        purchase = self.purchase
        amounts = purchase.gross_minor, purchase.tax_minor, purchase.paid_with_points_minor
        return SaleFacts(*amounts, purchase.currency, purchase.occurred_at)
