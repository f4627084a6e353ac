"""members' acts: locks, guardians, grants and what waits; a ledger deployed before this is refused, so that there is none to read"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ledger_members",
        sa.Column("member_id", sa.LargeBinary(), nullable=False),
        *_whole("acts", "turn", "epoch"),
        sa.Column("is_locked", sa.Boolean(), nullable=False),
        *_whole("guardian_kind"),
        sa.Column("guardian", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_ledger_members")),
    )
    op.create_table(
        "ledger_grants",
        sa.Column("giver_id", sa.LargeBinary(), nullable=False),
        sa.Column("granted_to", sa.LargeBinary(), nullable=False),
        *_whole("per_purchase", "per_day", "in_all", "until", "spent_in_all", "spent_on_day", "spent_day"),
        sa.PrimaryKeyConstraint("giver_id", "granted_to", name=op.f("pk_ledger_grants")),
    )
    op.create_table(
        "ledger_pending_acts",
        sa.Column("act_id", sa.LargeBinary(), nullable=False),
        sa.Column("member_id", sa.LargeBinary(), nullable=False),
        *_whole("what", "kind"),
        sa.Column("authorizer", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        *_whole("deadline", "ready_at", "turn"),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_ledger_pending_acts")),
    )
    op.create_index(op.f("ix_ledger_pending_acts_member_id"), "ledger_pending_acts", ["member_id"])


def _whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, _WHOLE, nullable=False) for name in names]


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
