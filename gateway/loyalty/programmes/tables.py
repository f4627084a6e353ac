"""Tables of what brands have published."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base


class EarningRuleRow(Base):
    """A published version of a brand's base rule: floor(earn base in minor units x points / minor units).

    `signature` is its publisher's; `in_force_from` is null until the brand's agent has confirmed what is signed.
    """

    __tablename__ = "earning_rules"

    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    points: Mapped[int]
    per_minor: Mapped[int]
    valid_from: Mapped[int]
    in_force_from: Mapped[int | None]
    signature: Mapped[bytes | None]
    created_at: Mapped[int]
