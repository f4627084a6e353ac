"""What really happened at the tills: the generator's input after the walk, because the part paid with points is only known then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class PaidSale:
    """A sale as actually paid. `sold_at` is local without an offset; `points_minor` is the part of `gross_minor` paid with points."""

    brand: str
    payment_id: str
    member: str
    sold_at: datetime
    currency: str
    gross_minor: int
    points_minor: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.points_minor <= self.gross_minor:
            raise ValueError(f"{self.payment_id}: {self.points_minor} of {self.gross_minor} paid with points")

    @property
    def money_minor(self) -> int:
        """What the payment provider sees; 0 = nothing, no record."""
        return self.gross_minor - self.points_minor

    @property
    def business_date(self) -> date:
        return self.sold_at.date()


@dataclass(frozen=True, slots=True)
class PaymentRefund:
    """Money that went back, of which the brand told the gateway. `refunded_at` is local without an offset."""

    brand: str
    refund_id: str
    payment_id: str
    amount_minor: int
    refunded_at: datetime
