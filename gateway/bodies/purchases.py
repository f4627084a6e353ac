"""What a brand reports of its sales, and of the money that goes back."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.bodies.shapes import AddressText, AnyAmount, Body, Currency, Date, ExternalId, Label, Moment, PositiveAmount, Word
from gateway.values.money import MAX_AMOUNT_MINOR, AmountMinor


class PurchaseLineBody(Body):
    """`amount_minor` is negative for a discount line."""

    category: Label
    quantity: Annotated[int, Field(strict=True, ge=-(10**9), le=10**9)] = 1
    amount_minor: Annotated[AmountMinor, Field(strict=True, ge=-MAX_AMOUNT_MINOR, le=MAX_AMOUNT_MINOR)]


class PurchaseBody(Body):
    """`gross_minor` includes tax and what was paid with points. Without `member_id` it is kept and earns nothing.

    `brand_id` may be left out: a brand reports its own purchases alone.
    """

    brand_id: Annotated[int, Field(strict=True, ge=1, lt=2**31)] | None = None
    payment_id: ExternalId
    member_id: AddressText | None = None
    store: Word = ""
    channel: Word = ""
    currency: Currency
    gross_minor: PositiveAmount
    tax_minor: AnyAmount = AmountMinor(0)
    paid_with_points_minor: AnyAmount = AmountMinor(0)
    occurred_at: Moment
    business_date: Date
    lines: Annotated[tuple[PurchaseLineBody, ...], Field(max_length=1_000)] = ()


class PaymentRefundBody(Body):
    """`amount_minor` of the money paid for `payment_id` went back."""

    refund_id: ExternalId
    payment_id: ExternalId
    amount_minor: PositiveAmount
    occurred_at: Moment
    business_date: Date


class RefundFailureBody(Body):
    """When it was known that the refund failed."""

    occurred_at: Moment
