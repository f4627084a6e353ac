"""Quotes: what points are worth at the calling brand, and the consent for the member to sign."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from pydantic import BaseModel, Field

from gateway.api.brands import the_brand
from gateway.api.context import ContextNeeded
from gateway.api.permissions import AsBrand, brand_of
from gateway.api.problems import WRITES
from gateway.api.routing import Router
from gateway.api.shapes import AddressText, Body, ExternalId, PointsAsked, PositiveAmount
from gateway.coalition.rows import SqlCoalition
from gateway.ledger.model_spending import MAX_CONSENT_SECONDS
from gateway.members.rows import SqlMembers
from gateway.members.signed_consent import MAX_NONCE
from gateway.points.rows import SqlPoints
from gateway.redemption.quote import MIN_CONSENT_SECONDS, QuoteRequest, quote
from gateway.values.calendar import expiry_date
from gateway.values.ids import MemberId

router = Router(prefix="/v1/quotes", tags=["redemption"])


class QuoteBody(Body):
    """Name either `points` or the `amount_minor` that they should cover. `order` is what the member is shown, as you like it (text, whole
    numbers, true, false, null, lists, objects): the consent covers its hash, which her device recomputes. `spender_id`: another member, who
    consents in her place and spends her points under her grant.
    """

    order_id: ExternalId
    member_id: AddressText
    spender_id: AddressText | None = None
    points: PointsAsked | None = None
    amount_minor: PositiveAmount | None = None
    order: dict[str, Any] | None = None
    valid_seconds: Annotated[int, Field(strict=True, ge=MIN_CONSENT_SECONDS, le=MAX_CONSENT_SECONDS)] = 3_600


class QuoteLine(BaseModel):
    lot_id: str
    brand_id: int
    expiry_date: str | None
    points: int


class QuoteView(BaseModel):
    """`typed_data` is what the member signs (eth_signTypedData_v4): points for `discount_minor` off the order. Hand it in with
    `discount_minor`, `order_hash`, `nonce`, `deadline` and the signature. `order_hash` = keccak of `order` as canonical JSON (RFC 8785).
    """

    order_id: str
    member_id: str
    spender_id: str
    points: int
    amount_minor: int
    discount_minor: int
    order_hash: str
    currency: str
    lots: list[QuoteLine]
    nonce: int
    deadline: int
    reservation_id: str
    typed_data: dict[str, Any]


@router.post("", responses=WRITES)
def create_quote(body: QuoteBody, caller: AsBrand, context: ContextNeeded) -> QuoteView:
    """Quotes a redemption at the calling brand. Nothing is stored or reserved, so no idempotency key is needed."""
    with context.reading() as work:
        made = quote(
            _request(body),
            brand=the_brand(work, brand_of(caller)),
            coalition=work.of(SqlCoalition).facts,
            members=work.of(SqlMembers),
            points=work.of(SqlPoints),
            nonce=secrets.randbelow(MAX_NONCE + 1),
            now=work.now,
        )
        domain = work.of(SqlCoalition).facts.signing_domain
    return QuoteView(
        order_id=body.order_id,
        member_id=body.member_id,
        spender_id=str(made.consent.spender_id),
        points=made.consent.points,
        amount_minor=made.worth.amount_minor,
        discount_minor=made.consent.discount_minor,
        order_hash=str(made.consent.order_hash),
        currency=made.worth.currency,
        lots=[
            QuoteLine(lot_id=str(line.lot_id), brand_id=line.brand_id, expiry_date=expiry_date(line.expiry_day), points=line.points)
            for line in made.lines
        ],
        nonce=made.consent.nonce,
        deadline=made.consent.deadline,
        reservation_id=str(made.consent.digest(domain)),
        typed_data=made.consent.typed_data(domain),
    )


def _request(body: QuoteBody) -> QuoteRequest:
    member = MemberId.parse(body.member_id)
    spender = member if body.spender_id is None else MemberId.parse(body.spender_id)
    return QuoteRequest(body.order_id, member, spender, body.points, body.amount_minor, body.valid_seconds, body.order)
