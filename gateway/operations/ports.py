"""What the operations need from outside, in their own words; SQL stands behind them in gateway/adapters/database/repositories."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from gateway.domain.api_keys import ApiKey
from gateway.domain.brand import Brand
from gateway.domain.ledger.lots import Line
from gateway.domain.members import Authorizer, Member
from gateway.domain.operation import NewOperation, StoredOperation
from gateway.domain.purchase import Purchase
from gateway.domain.redemption import Holding, Reservation
from gateway.domain.rules import EarningRule


@dataclass(frozen=True, slots=True)
class NewBrand:
    """A brand to be registered, with what the gateway alone keeps: its name, signer, reference secret and programme settings."""

    brand: Brand
    key_address: str
    signer_url: str
    signer_token: str


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


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """An earlier request under an idempotency key, and the one resource that came of it."""

    content_hash: str
    resource_kind: str
    resource_id: str


@dataclass(frozen=True, slots=True)
class ExpiredPoints:
    """Unreserved points of a member in a lot that has expired."""

    member_id: str
    line: Line


class Brands(Protocol):
    def find(self, brand_id: int) -> Brand | None: ...
    def named(self, name: str) -> bool: ...
    def next_id(self) -> int: ...
    def add(self, new: NewBrand, operation_id: str, at: int) -> None: ...


class Rules(Protocol):
    def published(self, brand_id: int) -> list[EarningRule]: ...
    def add(self, brand_id: int, rule: EarningRule, at: int) -> None: ...


class Members(Protocol):
    def find(self, member_id: str) -> Member | None: ...
    def operation_of(self, member_id: str) -> str | None: ...
    def add(self, member: Member, operation_id: str, at: int) -> None: ...
    def authorizers(self, member_id: str) -> list[Authorizer]: ...


class Purchases(Protocol):
    def find(self, brand_id: int, payment_id: str) -> StoredPurchase | None: ...
    def add(self, brand_id: int, purchase: Purchase, stored: StoredPurchase) -> None: ...


class PaymentRefunds(Protocol):
    def find(self, brand_id: int, refund_id: str) -> StoredRefund | None: ...
    def of_payment(self, brand_id: int, payment_id: str) -> list[StoredRefund]: ...
    def add(self, brand_id: int, new: NewRefund) -> None: ...


class Operations(Protocol):
    def accept(self, operation: NewOperation, at: int) -> None: ...
    def find(self, operation_id: str) -> StoredOperation | None: ...
    def by_reference(self, brand_id: int, reference: str) -> tuple[bool, StoredOperation | None]: ...
    def pending_issues(self, brand_id: int) -> int: ...
    def pending_on(self, reservation_id: str) -> list[tuple[str, int]]: ...


class Points(Protocol):
    def holding(self, member_id: str) -> Holding: ...
    def reservation(self, reservation_id: str) -> Reservation | None: ...
    def expired(self, local_day: int) -> Iterable[ExpiredPoints]: ...
    def pending_expiries(self) -> set[tuple[str, int]]: ...


class ApiKeys(Protocol):
    def find(self, key_id: str) -> ApiKey | None: ...
    def add(self, key: ApiKey) -> None: ...
    def revoke(self, key_id: str, at: int) -> None: ...


class Requests(Protocol):
    def find(self, principal: str, idempotency_key: str) -> StoredRequest | None: ...
    def add(self, principal: str, idempotency_key: str, request: StoredRequest, at: int) -> None: ...


class PrivilegedActions(Protocol):
    def record(self, at: int, principal: str, action: str, subject: str, detail: str) -> None: ...
