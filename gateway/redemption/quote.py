"""Quote a redemption: what the points are worth, which lots they would take, and the consent for the member to sign. Stores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.brands.brand import Brand, check_accepts
from gateway.coalition.coalition import Coalition
from gateway.ledger import signing
from gateway.ledger.consents import NO_ORDER, order_hash
from gateway.ledger.lots import Line
from gateway.ledger.member_acts import grant_to_member
from gateway.ledger.model_spending import MAX_CONSENT_SECONDS
from gateway.members.ports import Members
from gateway.members.spending_leave import check_grant, check_not_locked
from gateway.points.holding import available_at_once, lines_for
from gateway.points.ports import HeldByMembers
from gateway.redemption.consent import Consent, points_to_cover
from gateway.values.calendar import local_day
from gateway.values.errors import Invalid, NotEnoughPoints, NotFound
from gateway.values.ids import Hash, MemberId
from gateway.values.money import MAX_AMOUNT_MINOR, AmountMinor, Money
from gateway.values.points import Points
from gateway.values.references import check_external_id

MIN_CONSENT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """Either `points` or the `amount_minor` they should cover."""

    order_id: str
    member_id: MemberId
    spender_id: MemberId
    points: Points | None
    amount_minor: AmountMinor | None
    valid_seconds: int
    order: Mapping[str, Any] | None = None  # what the member is shown; the consent covers its hash


@dataclass(frozen=True, slots=True)
class Quote:
    """`lines` are the lots as they stand now; the ledger takes the nearest expiry when the redemption is written."""

    consent: Consent
    worth: Money
    lines: list[Line]


def quote(
    request: QuoteRequest, *, brand: Brand, coalition: Coalition, members: Members, points: HeldByMembers, nonce: int, now: int
) -> Quote:
    """What the member can be asked to sign; an amount is covered as far as the available points reach."""
    check_external_id("order_id", request.order_id)
    if not MIN_CONSENT_SECONDS <= request.valid_seconds <= MAX_CONSENT_SECONDS:
        raise Invalid(f"valid_seconds must be from {MIN_CONSENT_SECONDS} to {MAX_CONSENT_SECONDS}", field="valid_seconds")
    check_accepts(brand)
    for field, member_id in (("member_id", request.member_id), ("spender_id", request.spender_id)):
        if members.find(member_id) is None:
            raise NotFound(f"there is no member {member_id}", field=field)
    holding = points.holding_at(brand.brand_id, request.member_id)
    asked = _points_asked(request, brand, available_at_once(holding, brand.brand_id, now, coalition.utc_offset_seconds))
    _check_leave(request, asked, coalition, members, now)
    lines = lines_for(holding, asked, brand.brand_id, now, coalition.utc_offset_seconds)
    reference = signing.reference(brand.reference_secret, "order", request.order_id)
    worth = Money(brand.redemption.minor_for(asked), coalition.currency)
    what = worth.amount_minor, _order_hash(request)
    consent = Consent(request.member_id, request.spender_id, brand.brand_id, asked, *what, reference, nonce, now + request.valid_seconds)
    return Quote(consent, worth, lines)


def _check_leave(request: QuoteRequest, points: Points, coalition: Coalition, members: Members, now: int) -> None:
    """Nobody is asked to sign what cannot be spent as things stand."""
    if members.is_locked(request.member_id):
        check_not_locked(request.member_id, members)
    if request.spender_id != request.member_id:
        to, day = grant_to_member(request.spender_id), local_day(now, coalition.utc_offset_seconds)
        check_grant(request.member_id, to, points, [], members, local_day=day, now=now)


def _order_hash(request: QuoteRequest) -> Hash:
    if request.order is None:
        return NO_ORDER
    try:
        return order_hash(request.order)
    except ValueError as wrong:
        raise Invalid(str(wrong), field="order") from wrong


def _points_asked(request: QuoteRequest, brand: Brand, at_once: Points) -> Points:
    if (request.points is None) == (request.amount_minor is None):
        raise Invalid("name either points or amount_minor")
    if request.points is not None:
        return request.points
    assert request.amount_minor is not None
    if not 0 < request.amount_minor <= MAX_AMOUNT_MINOR:
        raise Invalid(f"amount_minor must be from 1 to {MAX_AMOUNT_MINOR}", field="amount_minor")
    if at_once == 0:
        raise NotEnoughPoints("no points are available", available=0)
    return points_to_cover(request.amount_minor, brand.redemption, at_once)
