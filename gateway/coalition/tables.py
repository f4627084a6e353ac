"""The table of the one coalition."""

from __future__ import annotations

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base
from gateway.values.ids import Address, Hash


class CoalitionRow(Base):
    """The one coalition of this gateway and where its ledger is; written once, checked at every start."""

    __tablename__ = "coalition"
    __table_args__ = (CheckConstraint("single = 1", name="only_one"),)

    single: Mapped[int] = mapped_column(primary_key=True, default=1)
    coalition_id: Mapped[Hash]
    chain_id: Mapped[int]
    genesis_hash: Mapped[Hash]
    currency: Mapped[str]
    utc_offset_seconds: Mapped[int]
    sandbox: Mapped[bool]
    access_manager_address: Mapped[Address]
    points_address: Mapped[Address]
    code_hash: Mapped[Hash | None]
    deployed_block: Mapped[int | None]
