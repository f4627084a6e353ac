"""A brand of the coalition: its terms, and what its status lets it do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.values.errors import Invalid, LimitExceeded, WrongState
from gateway.values.ids import Address
from gateway.values.money import Ratio
from gateway.values.points import Points

MAX_REGISTERED_BRAND_ID = 2**31 - 1  # the ledger would take one bit more, but a lot id must fit a signed 64-bit column
MAX_ISSUE_LIMIT = 2**63 - 1
MAX_LOT_VALIDITY_MONTHS = 120


class BrandStatus(StrEnum):
    """`pending`: registered here, not on the ledger yet. The others are the ledger's: see its format, "Brand states"."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    RUNNING_OFF = "running_off"
    CLOSED = "closed"
    IN_DEFAULT = "in_default"


ACCEPTING_STATUSES = frozenset({BrandStatus.ACTIVE, BrandStatus.SUSPENDED, BrandStatus.RUNNING_OFF})


@dataclass(frozen=True, slots=True)
class Brand:
    """`par` is the issuer's price of a point, `redemption` what a point pays at this brand; `outstanding` as on the ledger.

    `extends_by_activity`: activity moves a member's points to a later expiry. `carries_clawbacks`: what could not be taken is taken later.
    `publisher_address`: the key that signs its rules, where any does.
    """

    brand_id: int
    name: str
    status: BrandStatus
    reference_secret: bytes
    issue_limit: int
    outstanding: Points
    par: Ratio
    redemption: Ratio
    lot_validity_months: int
    earn_on_tax: bool
    extends_by_activity: bool = False
    carries_clawbacks: bool = False
    publisher_address: Address | None = None


def check_terms(brand_id: int, issue_limit: int, lot_validity_months: int) -> None:
    """Refuses what the ledger could not hold."""
    if not 1 <= brand_id <= MAX_REGISTERED_BRAND_ID:
        raise Invalid(f"brand_id {brand_id} is not a whole number from 1 to {MAX_REGISTERED_BRAND_ID}")
    if not 0 <= issue_limit <= MAX_ISSUE_LIMIT:
        raise Invalid(f"issue_limit {issue_limit} is not a whole number from 0 to {MAX_ISSUE_LIMIT}")
    if not 0 <= lot_validity_months <= MAX_LOT_VALIDITY_MONTHS:
        raise Invalid(f"lot_validity_months {lot_validity_months} is not a whole number from 0 (never) to {MAX_LOT_VALIDITY_MONTHS}")


def check_issues(brand: Brand) -> None:
    """Issuing points needs an active brand."""
    if brand.status is not BrandStatus.ACTIVE:
        raise _cannot(brand, "issue points")


def check_accepts(brand: Brand) -> None:
    """Accepting points needs a brand that others pay and that pays others."""
    if brand.status not in ACCEPTING_STATUSES:
        raise _cannot(brand, "accept points")


def check_on_ledger(brand: Brand) -> None:
    """What runs on in every state still needs a brand that the ledger knows."""
    if brand.status is BrandStatus.PENDING:
        raise WrongState(f"brand {brand.brand_id} is not on the ledger yet", brand_id=brand.brand_id, status=brand.status)


def check_limit(brand: Brand, pending_issues: Points, points: Points) -> None:
    """Outstanding points, pending issues counted, stay within the brand's limit."""
    room = brand.issue_limit - brand.outstanding - pending_issues
    if points > room:
        raise LimitExceeded(
            f"{points} points would leave brand {brand.brand_id} above its limit of {brand.issue_limit} outstanding points",
            brand_id=brand.brand_id,
            issue_limit=brand.issue_limit,
            outstanding=brand.outstanding,
            pending=pending_issues,
        )


def _cannot(brand: Brand, deed: str) -> WrongState:
    return WrongState(f"brand {brand.brand_id} is {brand.status} and cannot {deed}", brand_id=brand.brand_id, status=brand.status)
