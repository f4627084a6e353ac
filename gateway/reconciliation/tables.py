"""Tables of reconciliations. A record is claimed by at most one match of each (a unique constraint says so)."""

from __future__ import annotations

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base


class ReconciliationRow(Base):
    """One run of matching for a brand at a cut-off. `summary` is JSON."""

    __tablename__ = "reconciliations"

    reconciliation_id: Mapped[str] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    cut_off_date: Mapped[str]
    at_block: Mapped[int]
    summary: Mapped[str]
    created_at: Mapped[int]


class MatchRow(Base):
    """Records and a purchase that agree. kind: charge, refund. Numbered from 1 in each reconciliation."""

    __tablename__ = "matches"

    reconciliation_id: Mapped[str] = mapped_column(ForeignKey("reconciliations.reconciliation_id"), primary_key=True)
    match_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    brand_id: Mapped[int]
    payment_id: Mapped[str]
    kind: Mapped[str]
    amount_minor: Mapped[int]


class MatchRecordRow(Base):
    """A record inside a match; the primary key says that a reconciliation claims a record at most once."""

    __tablename__ = "match_records"
    __table_args__ = (
        ForeignKeyConstraint(["reconciliation_id", "match_number"], ["matches.reconciliation_id", "matches.match_number"]),
        Index("ix_match_records_match", "reconciliation_id", "match_number"),
    )

    reconciliation_id: Mapped[str] = mapped_column(primary_key=True)
    payment_record_id: Mapped[int] = mapped_column(ForeignKey("payment_records.payment_record_id"), primary_key=True)
    match_number: Mapped[int]


class BreakRow(Base):
    """A named disagreement found by a reconciliation, numbered from 1 in each."""

    __tablename__ = "breaks"
    __table_args__ = (Index("ix_breaks_payment", "brand_id", "payment_id"),)

    reconciliation_id: Mapped[str] = mapped_column(ForeignKey("reconciliations.reconciliation_id"), primary_key=True)
    break_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    brand_id: Mapped[int]
    kind: Mapped[str]
    payment_id: Mapped[str | None]
    payment_record_id: Mapped[int | None] = mapped_column(ForeignKey("payment_records.payment_record_id"))
    provider_record_id: Mapped[str | None]
    expected_minor: Mapped[int | None]
    found_minor: Mapped[int | None]
    age_days: Mapped[int]
    detail: Mapped[str]


class PayoutRow(Base):
    """A payout as a reconciliation rebuilt it: charges + refunds + fees + other + remainder, which is labelled."""

    __tablename__ = "payouts"

    reconciliation_id: Mapped[str] = mapped_column(ForeignKey("reconciliations.reconciliation_id"), primary_key=True)
    provider: Mapped[str] = mapped_column(primary_key=True)
    payout_id: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    brand_id: Mapped[int]
    payout_minor: Mapped[int]
    charges_minor: Mapped[int]
    refunds_minor: Mapped[int]
    fees_minor: Mapped[int]
    other_minor: Mapped[int]
    remainder_minor: Mapped[int]
    remainder_label: Mapped[str]
    record_count: Mapped[int]
