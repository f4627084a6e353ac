"""A consent to one redemption: what is signed, and by whom."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.consents import ConsentTerms, consent_digest, consent_typed_data
from gateway.ledger.signing import Domain
from gateway.values.ids import Hash, MemberId, Reference, ReservationId
from gateway.values.money import AmountMinor, Ratio
from gateway.values.points import Points


@dataclass(frozen=True, slots=True)
class Consent:
    """`points` of a member for `discount_minor` off an order of the accepting brand, once, until `deadline` (Unix seconds). `spender_id`
    signs: the member, or another one under the member's grant.
    """

    member_id: MemberId
    spender_id: MemberId
    brand_id: int
    points: Points
    discount_minor: AmountMinor
    order_hash: Hash
    reference: Reference
    nonce: int
    deadline: int

    def digest(self, domain: Domain) -> ReservationId:
        """What is signed; at the same time the reservation id."""
        return consent_digest(domain, self._terms())

    def typed_data(self, domain: Domain) -> dict[str, object]:
        """The JSON that a wallet signs."""
        return consent_typed_data(domain, self._terms())

    def _terms(self) -> ConsentTerms:
        amounts = self.points, self.discount_minor, self.order_hash
        return ConsentTerms(self.member_id, self.spender_id, self.brand_id, *amounts, self.reference, self.nonce, self.deadline)


def points_to_cover(amount_minor: AmountMinor, redemption: Ratio, at_once: Points) -> Points:
    """The points that cover the amount, or as many as can be spent."""
    return min(redemption.points_for(amount_minor), at_once)
