"""Tables of payment files, their records, and column mappings."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base
from gateway.values.ids import Hash


class ColumnMappingRow(Base):
    """A saved mapping of a brand's own CSV layout (JSON), versioned; published versions never change."""

    __tablename__ = "column_mappings"

    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    definition: Mapped[str]
    created_at: Mapped[int]


class PaymentFileRow(Base):
    """A file as it came. status: imported, imported_with_errors, refused (kept and marked, none of its rows used).

    `terms` is JSON: the layout with its options and the control totals that came with it. The same file under the same terms is one row;
    rows of a file are used once, so at most one row of a content is not refused.
    """

    __tablename__ = "payment_files"
    __table_args__ = (
        UniqueConstraint("brand_id", "file_hash", "terms"),
        Index(
            "ix_payment_files_used",
            "brand_id",
            "file_hash",
            unique=True,
            sqlite_where=text("status <> 'refused'"),
            postgresql_where=text("status <> 'refused'"),
        ),
    )

    payment_file_id: Mapped[str] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    file_name: Mapped[str]
    file_hash: Mapped[Hash]
    content: Mapped[bytes]
    layout: Mapped[str]
    terms: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    row_count: Mapped[int]
    record_count: Mapped[int]
    error_count: Mapped[int]
    created_at: Mapped[int]


class PaymentFileErrorRow(Base):
    """A line that could not be used."""

    __tablename__ = "payment_file_errors"

    payment_file_id: Mapped[str] = mapped_column(ForeignKey("payment_files.payment_file_id"), primary_key=True)
    line_number: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str]
    text: Mapped[str]


class PaymentRecordRow(Base):
    """One line of a merchant's or provider's file. Intake key: file and line; business key: provider, provider record id and kind.

    kind: charge, refund, payout, fee, other. Amounts are signed minor units as the merchant sees them (a refund is negative).
    `repeat_of` names the first record that was kept with the same business key.
    """

    __tablename__ = "payment_records"
    __table_args__ = (
        UniqueConstraint("payment_file_id", "line_number"),
        Index("ix_payment_records_payment", "brand_id", "payment_id"),
        Index("ix_payment_records_business", "brand_id", "provider", "provider_record_id", "kind"),
    )

    payment_record_id: Mapped[int] = mapped_column(primary_key=True)
    payment_file_id: Mapped[str] = mapped_column(ForeignKey("payment_files.payment_file_id"))
    line_number: Mapped[int]
    brand_id: Mapped[int]
    provider: Mapped[str]
    kind: Mapped[str]
    provider_record_id: Mapped[str]
    payment_id: Mapped[str | None]
    refund_id: Mapped[str | None]
    currency: Mapped[str]
    gross_minor: Mapped[int]
    fee_minor: Mapped[int]
    net_minor: Mapped[int]
    occurred_at: Mapped[str]
    business_date: Mapped[str]
    payout_id: Mapped[str | None]
    repeat_of: Mapped[int | None] = mapped_column(ForeignKey("payment_records.payment_record_id"))
