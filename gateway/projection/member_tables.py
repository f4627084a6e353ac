"""Tables of the projection that say what members' acts left: locks, guardians, grants and acts that wait."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base
from gateway.values.ids import Hash, MemberId


class LedgerMemberRow(Base):
    """A member that acted. `acts` and `turn` are the nonces of what it does next; no guardian: kind 0."""

    __tablename__ = "ledger_members"

    member_id: Mapped[MemberId] = mapped_column(primary_key=True)
    acts: Mapped[int]
    turn: Mapped[int]
    epoch: Mapped[int]
    is_locked: Mapped[bool]
    guardian_kind: Mapped[int]
    guardian: Mapped[bytes]


class LedgerGrantRow(Base):
    """What a member granted last, and what was spent of it: `spent_on_day` on `spent_day`."""

    __tablename__ = "ledger_grants"

    giver_id: Mapped[MemberId] = mapped_column(primary_key=True)
    granted_to: Mapped[Hash] = mapped_column(primary_key=True, index=True)
    per_purchase: Mapped[int]
    per_day: Mapped[int]
    in_all: Mapped[int]
    until: Mapped[int]
    spent_in_all: Mapped[int]
    spent_on_day: Mapped[int]
    spent_day: Mapped[int]


class LedgerPendingActRow(Base):
    """An act that waits, until it is carried out or vetoed. It has fallen if the member's turn is another."""

    __tablename__ = "ledger_pending_acts"

    act_id: Mapped[Hash] = mapped_column(primary_key=True)
    member_id: Mapped[MemberId] = mapped_column(index=True)
    what: Mapped[int]
    kind: Mapped[int]
    authorizer: Mapped[bytes]
    nonce: Mapped[str]  # a recovery's may be any number of 64 bits
    deadline: Mapped[int]
    ready_at: Mapped[int]
    turn: Mapped[int]
