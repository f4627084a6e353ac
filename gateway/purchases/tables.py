"""Tables of purchases and payment refunds."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base
from gateway.values.ids import Hash, MemberId, Reference


class PurchaseRow(Base):
    """A purchase as the brand's till reported it; (brand, payment id) earns once. `rule_version` is that of the base rule in force."""

    __tablename__ = "purchases"
    __table_args__ = (UniqueConstraint("brand_id", "payment_id"),)

    purchase_id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    payment_id: Mapped[str]
    member_id: Mapped[MemberId | None] = mapped_column(index=True)
    store: Mapped[str]
    channel: Mapped[str]
    currency: Mapped[str]
    gross_minor: Mapped[int]
    tax_minor: Mapped[int]
    paid_with_points_minor: Mapped[int]
    occurred_at: Mapped[str]
    business_date: Mapped[str] = mapped_column(index=True)
    rule_version: Mapped[int]
    reference: Mapped[Reference]
    content_hash: Mapped[Hash]


class PurchaseLineRow(Base):
    """One line of a purchase."""

    __tablename__ = "purchase_lines"

    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchases.purchase_id"), primary_key=True)
    line_number: Mapped[int] = mapped_column(primary_key=True)
    category: Mapped[str]
    quantity: Mapped[int]
    amount_minor: Mapped[int]


class AwardRow(Base):
    """What one rule gave for a purchase; numbered from 1. It has an operation, or the code with which it was refused when it was due.

    `why` is JSON, the figures that the rule counted; `decision` with its salt is what the issue's hash commits to.
    """

    __tablename__ = "awards"
    __table_args__ = (UniqueConstraint("issuer_id", "reference"),)

    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchases.purchase_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issuer_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    member_id: Mapped[MemberId]
    points: Mapped[int]
    expiry_day: Mapped[int]
    rule: Mapped[str]
    rule_version: Mapped[int]
    why: Mapped[str]
    reference: Mapped[Reference]
    operation_id: Mapped[str | None] = mapped_column(index=True)
    refused: Mapped[str | None]
    decision: Mapped[str] = mapped_column(server_default="")
    decision_salt: Mapped[bytes] = mapped_column(server_default="")


class PaymentRefundRow(Base):
    """Money that went back, as the brand reported it. `reference` is the keyed hash of its id under the brand's secret."""

    __tablename__ = "payment_refunds"
    __table_args__ = (UniqueConstraint("brand_id", "refund_id"),)

    payment_refund_id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    refund_id: Mapped[str]
    payment_id: Mapped[str] = mapped_column(index=True)
    amount_minor: Mapped[int]
    occurred_at: Mapped[str]
    business_date: Mapped[str]
    reference: Mapped[Reference]
    content_hash: Mapped[Hash]


class AwardClawbackRow(Base):
    """What a payment refund takes back of an award.

    `points_due` is this refund's share by the cumulative floor; `points_short` of them had been spent and could not be taken back.
    """

    __tablename__ = "award_clawbacks"

    payment_refund_id: Mapped[int] = mapped_column(ForeignKey("payment_refunds.payment_refund_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issuer_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    points_due: Mapped[int]
    points_short: Mapped[int]
    reference: Mapped[Reference]
    operation_id: Mapped[str] = mapped_column(index=True)


class CarriedClawbackRow(Base):
    """A later clawback of what fell short at first, where the issuer carries it.

    Its `points_due` are off the first one's `points_short`, and back there as far as it fell short, too.
    """

    __tablename__ = "carried_clawbacks"

    payment_refund_id: Mapped[int] = mapped_column(ForeignKey("payment_refunds.payment_refund_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issuer_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    points_due: Mapped[int]
    points_short: Mapped[int]
    reference: Mapped[Reference]
    operation_id: Mapped[str] = mapped_column(index=True)


class RefundFailureRow(Base):
    """A payment refund that failed: the money did not go back."""

    __tablename__ = "refund_failures"

    payment_refund_id: Mapped[int] = mapped_column(ForeignKey("payment_refunds.payment_refund_id"), primary_key=True, autoincrement=False)
    occurred_at: Mapped[str]
    content_hash: Mapped[Hash]


class AwardRestoreRow(Base):
    """What a failed payment refund gives back of an award, at most: never more than its clawbacks took."""

    __tablename__ = "award_restores"

    payment_refund_id: Mapped[int] = mapped_column(ForeignKey("refund_failures.payment_refund_id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issuer_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    points_due: Mapped[int]
    reference: Mapped[Reference]
    operation_id: Mapped[str] = mapped_column(index=True)
