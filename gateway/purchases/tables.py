"""Tables of purchases and payment refunds."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base


class PurchaseRow(Base):
    """A purchase as the brand's till reported it; (brand, payment id) earns once."""

    __tablename__ = "purchases"
    __table_args__ = (UniqueConstraint("brand_id", "payment_id"),)

    purchase_id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    payment_id: Mapped[str]
    member_id: Mapped[str | None] = mapped_column(index=True)
    store: Mapped[str]
    channel: Mapped[str]
    currency: Mapped[str]
    gross_minor: Mapped[int]
    tax_minor: Mapped[int]
    paid_with_points_minor: Mapped[int]
    occurred_at: Mapped[str]
    business_date: Mapped[str] = mapped_column(index=True)
    rule_version: Mapped[int]
    points: Mapped[int]
    reference: Mapped[str]
    content_hash: Mapped[str]
    operation_id: Mapped[str | None]


class PurchaseLineRow(Base):
    """One line of a purchase."""

    __tablename__ = "purchase_lines"

    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchases.purchase_id"), primary_key=True)
    line_number: Mapped[int] = mapped_column(primary_key=True)
    category: Mapped[str]
    quantity: Mapped[int]
    amount_minor: Mapped[int]


class PaymentRefundRow(Base):
    """Money that went back, as the brand reported it, and the clawback that followed.

    `points_due` is this refund's share by the cumulative floor; `points_short` of them had been spent and could not be taken back.
    """

    __tablename__ = "payment_refunds"
    __table_args__ = (UniqueConstraint("brand_id", "refund_id"),)

    payment_refund_id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    refund_id: Mapped[str]
    payment_id: Mapped[str] = mapped_column(index=True)
    amount_minor: Mapped[int]
    occurred_at: Mapped[str]
    business_date: Mapped[str]
    points_due: Mapped[int]
    points_short: Mapped[int]
    reference: Mapped[str]
    content_hash: Mapped[str]
    operation_id: Mapped[str | None]
