"""The projection of the ledger: can be dropped and rebuilt from the chain to the same rows, so no column here holds anything else.

`position` orders entries (gateway/ledger/positions.py).
"""

from __future__ import annotations

from sqlalchemy import Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base
from gateway.values.ids import Address, Hash, LotId, MemberId, Reference, ReservationId


class LedgerBlockRow(Base):
    """Blocks the follower has read; the highest is its checkpoint."""

    __tablename__ = "ledger_blocks"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    block_hash: Mapped[Hash]
    timestamp: Mapped[int]


class LedgerBatchRow(Base):
    """A recorded batch."""

    __tablename__ = "ledger_batches"

    brand_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[Hash]
    entry_count: Mapped[int]
    refused_count: Mapped[int]
    block_number: Mapped[int] = mapped_column(index=True)
    transaction_hash: Mapped[Hash]


_HAS_TAKER = text("taker_id IS NOT NULL")


class LedgerEntryRow(Base):
    """An entry of a recorded batch, refused ones included (`refused_reason` names the contract's error). `taker_id`: of a transfer."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        Index("ix_ledger_entries_member", "member_id", "position"),
        Index("ix_ledger_entries_batch", "brand_id", "batch_number", "entry_index", unique=True),
        Index("ix_ledger_entries_reference", "brand_id", "reference"),
        Index("ix_ledger_entries_taker", "taker_id", "position", sqlite_where=_HAS_TAKER, postgresql_where=_HAS_TAKER),
    )

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    brand_id: Mapped[int]
    batch_number: Mapped[int]
    entry_index: Mapped[int]
    kind: Mapped[str]
    member_id: Mapped[MemberId | None]
    points: Mapped[int]
    reference: Mapped[Reference | None]
    issue_reference: Mapped[Reference | None]
    reservation_id: Mapped[ReservationId | None] = mapped_column(index=True)
    rule_version: Mapped[int | None]
    entry: Mapped[bytes]
    refused_reason: Mapped[str | None]
    block_number: Mapped[int] = mapped_column(index=True)
    block_timestamp: Mapped[int]
    taker_id: Mapped[MemberId | None]


class LedgerMovementRow(Base):
    """What an accepted entry did to one lot of one member."""

    __tablename__ = "ledger_movements"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lot_id: Mapped[LotId] = mapped_column(primary_key=True, autoincrement=False)
    member_id: Mapped[MemberId] = mapped_column(primary_key=True)
    held_delta: Mapped[int]
    reserved_delta: Mapped[int]


class LedgerMemberLotRow(Base):
    """Points of a member in a lot; `held` includes `reserved`. Rows that reach zero stay."""

    __tablename__ = "ledger_member_lots"
    __table_args__ = (Index("ix_ledger_member_lots_lot", "lot_id", "member_id"),)

    member_id: Mapped[MemberId] = mapped_column(primary_key=True)
    lot_id: Mapped[LotId] = mapped_column(primary_key=True, autoincrement=False)
    held: Mapped[int]
    reserved: Mapped[int]


class LedgerLotRow(Base):
    """Totals of a lot since the beginning."""

    __tablename__ = "ledger_lots"

    lot_id: Mapped[LotId] = mapped_column(primary_key=True, autoincrement=False)
    brand_id: Mapped[int] = mapped_column(index=True)
    expiry_day: Mapped[int]
    issued: Mapped[int]
    opened: Mapped[int]
    clawed_back: Mapped[int]
    redeemed: Mapped[int]
    refunded: Mapped[int]
    expired: Mapped[int]
    restored: Mapped[int] = mapped_column(server_default=text("0"))
    moved: Mapped[int] = mapped_column(server_default="0")  # from other lots of the issuer, less what went to them


class LedgerClawedIssueRow(Base):
    """What is clawed back of an issue or opening and not restored, and the latest expiry of the lots it was taken from."""

    __tablename__ = "ledger_clawed_issues"

    brand_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    batch_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    member_id: Mapped[MemberId]
    points: Mapped[int]
    latest_day: Mapped[int] = mapped_column(server_default="0")


class LedgerReservationRow(Base):
    """A reservation or one-step redemption. status: open, captured, voided."""

    __tablename__ = "ledger_reservations"
    __table_args__ = (Index("ix_ledger_reservations_status_deadline", "status", "deadline"),)

    reservation_id: Mapped[ReservationId] = mapped_column(primary_key=True)
    member_id: Mapped[MemberId] = mapped_column(index=True)
    brand_id: Mapped[int]
    reference: Mapped[Reference]
    points: Mapped[int]
    captured: Mapped[int]
    refunded: Mapped[int]
    deadline: Mapped[int]
    status: Mapped[str]


class LedgerReservationLotRow(Base):
    """One lot of a reservation."""

    __tablename__ = "ledger_reservation_lots"

    reservation_id: Mapped[ReservationId] = mapped_column(primary_key=True)
    lot_id: Mapped[LotId] = mapped_column(primary_key=True, autoincrement=False)
    reserved: Mapped[int]
    captured: Mapped[int]
    refunded: Mapped[int]
    discount_minor: Mapped[int] = mapped_column(server_default="0")
    terms_number: Mapped[int] = mapped_column(server_default="0")


class LedgerOwedRow(Base):
    """Points of the issuer captured at the accepting brand, less those refunded, by the issuer's terms at the authorization.
    `settled`: what cycles have settled of them, in the same sign; `points` never falls by it."""

    __tablename__ = "ledger_owed"

    issuer_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    acceptor_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    terms_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    points: Mapped[int]
    settled: Mapped[int] = mapped_column(server_default="0")


class LedgerExposureRow(Base):
    """Points of the issuer reserved or captured at the accepting brand, less those released, refunded or settled."""

    __tablename__ = "ledger_exposure"

    issuer_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    acceptor_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    points: Mapped[int]


class LedgerExposureLimitRow(Base):
    """How many of the issuer's points the accepting brand lets itself be owed."""

    __tablename__ = "ledger_exposure_limits"

    acceptor_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issuer_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    most: Mapped[int]


class LedgerGovernorsRow(Base):
    """Who governs, as the ledger has it: one row, once governance is deployed."""

    __tablename__ = "ledger_governors"

    single: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    operator_address: Mapped[Address]
    guardian_address: Mapped[Address]
    approver_addresses: Mapped[str]  # as text, with commas between them
    approvals_needed: Mapped[int]
    delay_seconds: Mapped[int]


class LedgerBrandRow(Base):
    """A brand as the contract has it. status: active, suspended, running_off (until `last_day` has ended), in_default."""

    __tablename__ = "ledger_brands"

    brand_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[str]
    issue_limit: Mapped[int]
    outstanding: Mapped[int]
    last_day: Mapped[int] = mapped_column(server_default="0")
    owner_address: Mapped[Address | None]
    owner_acts: Mapped[int] = mapped_column(server_default="0")


class LedgerBrandTermsRow(Base):
    """A version of a brand's terms: that with the highest number of those with valid_from <= t holds at t."""

    __tablename__ = "ledger_brand_terms"

    brand_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    par_numerator: Mapped[int]
    par_denominator: Mapped[int]
    redemption_numerator: Mapped[int]
    redemption_denominator: Mapped[int]
    fee_basis_points: Mapped[int]
    run_off_days: Mapped[int]
    notice_days: Mapped[int]
    valid_from: Mapped[int]


class LedgerBrandKeyRow(Base):
    """A brand's batch key and its window (from <= t < until); `managed`: the operator holds it on the brand's behalf."""

    __tablename__ = "ledger_brand_keys"

    brand_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key_address: Mapped[Address] = mapped_column(primary_key=True)
    valid_from: Mapped[int]
    valid_until: Mapped[int]
    managed: Mapped[bool] = mapped_column(server_default=false())


class LedgerAuthorizerRow(Base):
    """An authorizer of a member on the ledger."""

    __tablename__ = "ledger_authorizers"

    member_id: Mapped[MemberId] = mapped_column(primary_key=True)
    authorizer_id: Mapped[Hash] = mapped_column(primary_key=True)
    kind: Mapped[int]
    authorizer: Mapped[bytes]
