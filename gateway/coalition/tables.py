"""The table of the one coalition."""

from __future__ import annotations

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base


class CoalitionRow(Base):
    """The one coalition of this gateway and where its ledger is; written once, checked at every start."""

    __tablename__ = "coalition"
    __table_args__ = (CheckConstraint("single = 1", name="only_one"),)

    single: Mapped[int] = mapped_column(primary_key=True, default=1)
    coalition_id: Mapped[str]
    chain_id: Mapped[int]
    genesis_hash: Mapped[str]
    currency: Mapped[str]
    utc_offset_seconds: Mapped[int]
    sandbox: Mapped[bool]
    access_manager_address: Mapped[str]
    points_address: Mapped[str]
    code_hash: Mapped[str]
    deployed_block: Mapped[int | None]
