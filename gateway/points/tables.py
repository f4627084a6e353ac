"""Tables of points: opening imports, expiry runs, and how far activity was looked for."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base
from gateway.values.ids import Hash, LotId, MemberId, Reference

_GOES_ON = text("accepted_at IS NULL")


class OpeningFileRow(Base):
    """A file of an earlier programme's balances, by its SHA-256, and the terms on which it was taken over."""

    __tablename__ = "opening_files"
    __table_args__ = (UniqueConstraint("brand_id", "source"),)

    opening_file_id: Mapped[str] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    file_name: Mapped[str]
    source: Mapped[Hash]
    programme: Mapped[str]
    ratio_points: Mapped[int]
    ratio_units: Mapped[int]
    expires_on: Mapped[str | None]
    row_count: Mapped[int]
    created_at: Mapped[int]


class OpeningLineRow(Base):
    """A line of such a file. It has an operation, or a reason why it is not used; one that has neither waits for its member."""

    __tablename__ = "opening_lines"
    __table_args__ = (
        Index(
            "ix_opening_lines_waiting",
            "opening_file_id",
            sqlite_where=text("operation_id IS NULL AND reason IS NULL"),
            postgresql_where=text("operation_id IS NULL AND reason IS NULL"),
        ),
    )

    opening_file_id: Mapped[str] = mapped_column(ForeignKey("opening_files.opening_file_id"), primary_key=True)
    line_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    member_id: Mapped[MemberId | None]
    units: Mapped[int]
    expiry_day: Mapped[int]
    points: Mapped[int]
    reference: Mapped[Reference | None] = mapped_column(index=True)
    operation_id: Mapped[str | None] = mapped_column(index=True)
    reason: Mapped[str | None]


class ExpiryRunRow(Base):
    """A brand's expiry run of a local day, and how far it has come: up to which lot and which of its members. What became of its
    operations is told by them. `accepted_at`: when the last of them was accepted."""

    __tablename__ = "expiry_runs"
    __table_args__ = (Index("ix_expiry_runs_going_on", "day", sqlite_where=_GOES_ON, postgresql_where=_GOES_ON),)

    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"), primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lots: Mapped[int]
    upto_lot: Mapped[LotId | None]
    upto_member: Mapped[MemberId | None]
    started_at: Mapped[int]
    accepted_at: Mapped[int | None]


class ActivitySeenRow(Base):
    """Up to which position of the ledger a brand's activity was looked for; there is none while the brand extends nothing."""

    __tablename__ = "activity_seen"

    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"), primary_key=True, autoincrement=False)
    position: Mapped[int]
