"""Tables of the write path: operations, the batches they are packed into, and the raw transactions that carry them.

An operation is acknowledged once it is stored here and ends `confirmed` or `refused`.
"""

from __future__ import annotations

from sqlalchemy import BindParameter, ColumnElement, ForeignKey, Index, Select, UniqueConstraint, literal_column, or_, select, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base
from gateway.values.ids import Hash, MemberId, Reference, ReservationId

_OF_A_RUN = text("run_day IS NOT NULL")


class OperationRow(Base):
    """One write that will be one entry, or, for the acts of the operator (ADMIN_KINDS), a transaction of the operator's.

    status: accepted -> packed -> confirmed | refused. `points` is what it adds to (issue, point_refund) or takes from the member;
    `pending_out` is what it may still take from the available points while it is not on the ledger. `body` is JSON, which
    operation_codec.py alone reads and writes. An accepted one that its signer knows nothing of yet is packed again from
    `not_before` on, and refused after `given_up_at`; `reason` says meanwhile what is missing. `run_day`: of an expiry, its run's.
    """

    __tablename__ = "operations"
    __table_args__ = (
        Index(
            "ix_operations_open",
            "status",
            "sequence",
            sqlite_where=text("status IN ('accepted', 'packed')"),
            postgresql_where=text("status IN ('accepted', 'packed')"),
        ),
        Index(
            "ix_operations_member_open",
            "member_id",
            sqlite_where=text("status IN ('accepted', 'packed')"),
            postgresql_where=text("status IN ('accepted', 'packed')"),
        ),
        Index("ix_operations_reservation_id", "reservation_id"),
        Index("ix_operations_run", "brand_id", "run_day", sqlite_where=_OF_A_RUN, postgresql_where=_OF_A_RUN),
        UniqueConstraint("batch_id", "entry_index"),
    )

    sequence: Mapped[int] = mapped_column(primary_key=True)
    operation_id: Mapped[str] = mapped_column(unique=True)
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brands.brand_id"))
    kind: Mapped[str]
    member_id: Mapped[MemberId | None]
    points: Mapped[int]
    pending_out: Mapped[int]
    reference: Mapped[Reference | None]
    reservation_id: Mapped[ReservationId | None]
    body: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("batches.batch_id"))
    entry_index: Mapped[int | None]
    transaction_id: Mapped[int | None] = mapped_column(ForeignKey("transactions.transaction_id"))
    block_number: Mapped[int | None]
    created_at: Mapped[int]
    finished_at: Mapped[int | None]
    not_before: Mapped[int | None]
    given_up_at: Mapped[int | None]
    run_day: Mapped[int | None]


class ReferenceRow(Base):
    """(brand, reference) is used once: filled with the operation, refilled from the ledger on a rebuild.

    `operation_id` is empty where the operation is not known any more.
    """

    __tablename__ = "entry_references"

    brand_id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[Reference] = mapped_column(primary_key=True)
    kind: Mapped[str]
    operation_id: Mapped[str | None]


class BatchRow(Base):
    """A batch of one brand. status: packed -> signed (with its transaction stored) -> recorded | failed."""

    __tablename__ = "batches"
    __table_args__ = (UniqueConstraint("brand_id", "number"),)

    batch_id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    number: Mapped[int]
    deadline: Mapped[int]
    entries: Mapped[bytes]
    entry_count: Mapped[int]
    signature: Mapped[bytes | None]
    status: Mapped[str]
    transaction_id: Mapped[int | None] = mapped_column(ForeignKey("transactions.transaction_id"))
    created_at: Mapped[int]


IS_OPEN = OperationRow.status.in_((literal_column("'accepted'"), literal_column("'packed'")))
"""An operation that has not ended: in the very words of the partial indexes, by which SQLite finds them."""


def batches_adrift(now: int | BindParameter[int]) -> Select[int]:
    """Ids of batches whose deadline passed before anybody signed them: asked about still, but nobody waits for what is in them."""
    return select(BatchRow.batch_id).where(BatchRow.status == "packed", BatchRow.deadline <= now)


def is_due(now: int | BindParameter[int]) -> ColumnElement[bool]:
    """Of an accepted operation: it does not wait for its brand's books."""
    return or_(OperationRow.not_before.is_(None), OperationRow.not_before <= now)


class TransactionRow(Base):
    """A signed transaction of the operator's account, stored before it is sent. status: stored -> mined | failed | replaced."""

    __tablename__ = "transactions"
    __table_args__ = (
        Index(
            "ix_transactions_open", "status", "nonce", sqlite_where=text("status = 'stored'"), postgresql_where=text("status = 'stored'")
        ),
    )

    transaction_id: Mapped[int] = mapped_column(primary_key=True)
    nonce: Mapped[int] = mapped_column(index=True)
    purpose: Mapped[str]
    raw: Mapped[bytes]
    transaction_hash: Mapped[Hash] = mapped_column(unique=True)
    status: Mapped[str]
    replaces: Mapped[int | None] = mapped_column(ForeignKey("transactions.transaction_id"))
    block_number: Mapped[int | None]
    gas_used: Mapped[int | None]
    created_at: Mapped[int]
