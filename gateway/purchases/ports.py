"""What purchases and payment refunds need from outside; SQL stands behind it in rows.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.purchases.purchase import Purchase


@dataclass(frozen=True, slots=True)
class StoredPurchase:
    """What became of a purchase; `operation_id` is empty where it earned nothing."""

    payment_id: str
    member_id: str | None
    paid_minor: int
    points: int
    rule_version: int
    reference: str
    content_hash: str
    operation_id: str | None


@dataclass(frozen=True, slots=True)
class StoredRefund:
    """What became of a payment refund; `operation_id` is empty where nothing was due."""

    refund_id: str
    payment_id: str
    amount_minor: int
    points_due: int
    reference: str
    content_hash: str
    operation_id: str | None


@dataclass(frozen=True, slots=True)
class NewRefund:
    """A payment refund to be kept."""

    stored: StoredRefund
    occurred_at: str
    business_date: str


class Purchases(Protocol):
    def find(self, brand_id: int, payment_id: str) -> StoredPurchase | None: ...
    def add(self, brand_id: int, purchase: Purchase, stored: StoredPurchase) -> None: ...


class PaymentRefunds(Protocol):
    def find(self, brand_id: int, refund_id: str) -> StoredRefund | None: ...
    def of_payment(self, brand_id: int, payment_id: str) -> list[StoredRefund]: ...
    def add(self, brand_id: int, new: NewRefund) -> None: ...
