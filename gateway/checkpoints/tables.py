"""Checkpoints as witnesses signed them."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base
from gateway.values.ids import Address, Hash


class CheckpointRow(Base):
    """Times in Unix seconds: the block's, the witness's own when it signed, and the gateway's when it came."""

    __tablename__ = "checkpoints"
    __table_args__ = (Index("ix_checkpoints_number", "number"),)

    witness: Mapped[Address] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    block_hash: Mapped[Hash]
    block_time: Mapped[int]
    witnessed_at: Mapped[int]
    signature: Mapped[bytes]
    received_at: Mapped[int]
