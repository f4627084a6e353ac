"""The tables of the one coalition and of its governance."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base
from gateway.values.ids import Address, Hash


class CoalitionRow(Base):
    """The one coalition of this gateway, where its contracts stand and who governed first; written once, checked at every start.
    Who governs now: gateway/projection/governors.py."""

    __tablename__ = "coalition"
    __table_args__ = (CheckConstraint("single = 1", name="only_one"),)

    single: Mapped[int] = mapped_column(primary_key=True, default=1)
    coalition_id: Mapped[Hash]
    chain_id: Mapped[int]
    genesis_hash: Mapped[Hash]
    currency: Mapped[str]
    utc_offset_seconds: Mapped[int]
    sandbox: Mapped[bool]
    governance_address: Mapped[Address]
    brands_address: Mapped[Address]
    members_address: Mapped[Address]
    settlement_address: Mapped[Address]
    anchors_address: Mapped[Address]
    points_address: Mapped[Address]
    code_hash: Mapped[Hash | None]
    deployed_block: Mapped[int | None]
    guardian_address: Mapped[Address | None]
    approver_addresses: Mapped[str] = mapped_column(server_default="")  # as text, with commas between them
    approvals_needed: Mapped[int] = mapped_column(server_default="1")
    governance_delay_seconds: Mapped[int] = mapped_column(server_default="0")
    member_delay_seconds: Mapped[int] = mapped_column(server_default="0")  # of what members do late, built into the contract


class GovernanceActRow(Base):
    """A call of `target` that the operator proposed to governance for an operation, which is `proposed` meanwhile."""

    __tablename__ = "governance_acts"

    operation_sequence: Mapped[int] = mapped_column(ForeignKey("operations.sequence"), primary_key=True, autoincrement=False)
    act_id: Mapped[Hash] = mapped_column(unique=True)
    target: Mapped[Address]
    data: Mapped[bytes]
    salt: Mapped[Hash]
    delay_seconds: Mapped[int]
    proposed_in: Mapped[int] = mapped_column(ForeignKey("transactions.transaction_id"))


class GovernanceApprovalRow(Base):
    """An approver's signature over an act, by the approver's own clock."""

    __tablename__ = "governance_approvals"

    operation_sequence: Mapped[int] = mapped_column(ForeignKey("governance_acts.operation_sequence"), primary_key=True, autoincrement=False)
    approver: Mapped[Address] = mapped_column(primary_key=True)
    approved_at: Mapped[int]
    good_until: Mapped[int]
    signature: Mapped[bytes]


class AdmissionCriteriaRow(Base):
    """What a brand must meet before it is let in: the highest version holds. `criteria` as canonical JSON, an empty list for none."""

    __tablename__ = "admission_criteria"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    criteria: Mapped[str]
    set_at: Mapped[int]


class AdmissionChecklistRow(Base):
    """What an approver signed of the criteria with an approval of a brand's registration. `answers` as canonical JSON."""

    __tablename__ = "admission_checklists"

    operation_sequence: Mapped[int] = mapped_column(ForeignKey("governance_acts.operation_sequence"), primary_key=True, autoincrement=False)
    approver: Mapped[Address] = mapped_column(primary_key=True)
    approved_at: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    criteria_version: Mapped[int] = mapped_column(ForeignKey("admission_criteria.version"))
    answers: Mapped[str]
    signature: Mapped[bytes]
