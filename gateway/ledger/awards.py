"""Awards on the ledger: what one purchase gives is one or several issue entries, each found under a reference of its own.

A brand's own first award stands under the payment's plain reference. Every other one is numbered, and names the brand that sold, since the
secret is its issuer's and payment ids of two brands may be alike. Each award's clawbacks are named the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.signing import reference
from gateway.values.ids import Reference

FIRST = 1


@dataclass(frozen=True, slots=True)
class AwardId:
    """Which award of which purchase; numbered from 1. `sold_by` is the brand whose payment it is, `issuer_id` the brand whose points."""

    sold_by: int
    payment_id: str
    number: int
    issuer_id: int

    @property
    def is_plain(self) -> bool:
        """Whether it stands under the payment's own reference."""
        return self.number == FIRST and self.issuer_id == self.sold_by


def award_reference(secret: bytes, award: AwardId) -> Reference:
    """Where the award's issue stands; `secret` is the issuer's."""
    if award.is_plain:
        return reference(secret, "payment", award.payment_id)
    return reference(secret, "award", f"{award.sold_by}:{award.number}:{award.payment_id}")


def clawback_reference(secret: bytes, award: AwardId, refund_id: str) -> Reference:
    """Where the clawback of this award for this payment refund stands; `secret` is the issuer's."""
    if award.is_plain:
        return reference(secret, "refund", refund_id)
    return reference(secret, "award-refund", f"{award.sold_by}:{award.number}:{refund_id}")
