"""A purchase as a brand's till reports it, and the part of it that earns points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway.values.calendar import it_is, moment_in_words
from gateway.values.errors import Invalid
from gateway.values.ids import MemberId
from gateway.values.money import MAX_AMOUNT_MINOR, AmountMinor
from gateway.values.references import check_external_id

FUTURE_TOLERANCE = timedelta(days=2)
BUSINESS_DATE_TOLERANCE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class PurchaseLine:
    """One line; `amount_minor` as on the receipt. Lines inform, the totals decide."""

    category: str
    quantity: int
    amount_minor: AmountMinor


@dataclass(frozen=True, slots=True)
class Purchase:
    """`gross_minor` includes tax and what was paid with points; `occurred_at` carries its offset."""

    payment_id: str
    member_id: MemberId | None
    store: str
    channel: str
    currency: str
    gross_minor: AmountMinor
    tax_minor: AmountMinor
    paid_with_points_minor: AmountMinor
    occurred_at: datetime
    business_date: date
    lines: tuple[PurchaseLine, ...] = ()

    @property
    def paid_minor(self) -> AmountMinor:
        """The money that changed hands; as much can be paid back."""
        return AmountMinor(self.gross_minor - self.paid_with_points_minor)

    def earn_base_minor(self, earn_on_tax: bool) -> AmountMinor:
        """Gross without what was paid with points and, unless the brand says so, without tax."""
        return AmountMinor(max(0, self.paid_minor - (0 if earn_on_tax else self.tax_minor)))


def check_purchase(purchase: Purchase, currency: str, now: int) -> None:
    """Refuses a purchase whose numbers, currency or dates cannot be true."""
    check_external_id("payment_id", purchase.payment_id)
    if purchase.currency != currency:
        raise Invalid(f"the coalition's currency is {currency}, not {purchase.currency}", field="currency")
    if not 0 < purchase.gross_minor <= MAX_AMOUNT_MINOR:
        raise Invalid(f"gross_minor must be from 1 to {MAX_AMOUNT_MINOR}", field="gross_minor")
    if not 0 <= purchase.tax_minor <= purchase.gross_minor:
        raise Invalid("tax_minor must be from 0 to gross_minor", field="tax_minor")
    if not 0 <= purchase.paid_with_points_minor <= purchase.gross_minor:
        raise Invalid("paid_with_points_minor must be from 0 to gross_minor", field="paid_with_points_minor")
    check_dates(purchase.occurred_at, purchase.business_date, now)


def check_dates(occurred_at: datetime, business_date: date, now: int) -> None:
    """The moment carries an offset and is not in the future; the business date is near it."""
    if occurred_at.tzinfo is None:
        raise Invalid("occurred_at must carry its offset from UTC", field="occurred_at")
    if occurred_at.timestamp() > now + FUTURE_TOLERANCE.total_seconds():
        raise Invalid(f"occurred_at is in the future: {it_is(now)}", field="occurred_at", now=moment_in_words(now))
    if abs(business_date - occurred_at.date()) > BUSINESS_DATE_TOLERANCE:
        raise Invalid(f"business_date is more than {BUSINESS_DATE_TOLERANCE.days} days from occurred_at", field="business_date")
