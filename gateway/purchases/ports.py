"""What purchases and payment refunds need from outside; SQL stands behind it in rows.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.ledger.awards import AwardId
from gateway.purchases.award import Award, AwardClawback, AwardRestore
from gateway.purchases.purchase import Purchase
from gateway.values.ids import Hash, MemberId, OperationId, Reference
from gateway.values.money import AmountMinor
from gateway.values.points import Points


@dataclass(frozen=True, slots=True)
class StoredPurchase:
    """What became of a purchase. `reference` is that of the payment, whether it earned or not; `rule_version` the base rule's."""

    payment_id: str
    member_id: MemberId | None
    paid_minor: AmountMinor
    rule_version: int
    reference: Reference
    content_hash: Hash
    awards: tuple[Award, ...]

    @property
    def operation_ids(self) -> list[OperationId]:
        """Of the awards that were accepted."""
        return [award.operation_id for award in self.awards if award.operation_id is not None]


@dataclass(frozen=True, slots=True)
class StoredFailure:
    """A payment refund that failed, and what went back because of it."""

    content_hash: Hash
    restores: tuple[AwardRestore, ...]


@dataclass(frozen=True, slots=True)
class StoredRefund:
    """What became of a payment refund; nothing is clawed back where nothing was due."""

    refund_id: str
    payment_id: str
    amount_minor: AmountMinor
    reference: Reference
    content_hash: Hash
    clawbacks: tuple[AwardClawback, ...]
    failure: StoredFailure | None = None
    carried: tuple[tuple[int, Reference], ...] = ()  # clawbacks that came later, by award number

    def points_due(self, number: int) -> Points:
        """What it takes back of an award, less what was given back since it failed."""
        given_back = () if self.failure is None else self.failure.restores
        taken = sum(one.points_due for one in self.clawbacks if one.number == number)
        return Points(taken - sum(one.points_due for one in given_back if one.number == number))

    def references_of(self, number: int) -> tuple[Reference, ...]:
        """Where its clawbacks of an award stand."""
        first = tuple(one.reference for one in self.clawbacks if one.number == number)
        return first + tuple(reference for of, reference in self.carried if of == number)


@dataclass(frozen=True, slots=True)
class NewRefund:
    """A payment refund to be kept."""

    stored: StoredRefund
    occurred_at: str
    business_date: str


@dataclass(frozen=True, slots=True)
class OpenShortfall:
    """What a payment refund's clawbacks of an award still miss, and what the member has of the issuer's points by now."""

    payment_refund_id: int
    refund_id: str
    amount_minor: AmountMinor
    award: AwardId
    member_id: MemberId
    issue_reference: Reference
    part: int
    points_short: Points
    available: Points


class CarriedClawbacks(Protocol):
    def add_part(self, shortfall: OpenShortfall, points: Points, reference: Reference, operation_id: OperationId) -> None: ...


class Purchases(Protocol):
    def find(self, brand_id: int, payment_id: str) -> StoredPurchase | None: ...
    def add(self, brand_id: int, purchase: Purchase, stored: StoredPurchase) -> None: ...


class PaymentRefunds(Protocol):
    def find(self, brand_id: int, refund_id: str) -> StoredRefund | None: ...
    def of_payment(self, brand_id: int, payment_id: str) -> list[StoredRefund]: ...
    def add(self, brand_id: int, new: NewRefund) -> None: ...
    def add_failure(self, brand_id: int, refund_id: str, failure: StoredFailure, occurred_at: str) -> None: ...
