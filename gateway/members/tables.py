"""Tables of members."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base
from gateway.values.ids import MemberId


class MemberRow(Base):
    """A member: a pseudonym that commits to its first authorizer."""

    __tablename__ = "members"

    member_id: Mapped[MemberId] = mapped_column(primary_key=True)
    authorizer_kind: Mapped[int]
    authorizer: Mapped[bytes]
    salt: Mapped[bytes]
    operation_id: Mapped[str]
    created_at: Mapped[int]
