"""what a brand must meet before it is let in, and what approvers signed of it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """A coalition that set no criteria asks for none: approvals that were given stay as they are."""
    op.create_table(
        "admission_criteria",
        sa.Column("version", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("criteria", sa.String(), nullable=False),
        sa.Column("set_at", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_admission_criteria")),
    )
    op.create_table(
        "admission_checklists",
        sa.Column("operation_sequence", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("approver", sa.LargeBinary(), nullable=False),
        sa.Column("approved_at", _WHOLE, nullable=False),
        sa.Column("criteria_version", _WHOLE, nullable=False),
        sa.Column("answers", sa.String(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_sequence"],
            ["governance_acts.operation_sequence"],
            name=op.f("fk_admission_checklists_operation_sequence"),
        ),
        sa.ForeignKeyConstraint(
            ["criteria_version"], ["admission_criteria.version"], name=op.f("fk_admission_checklists_criteria_version")
        ),
        sa.PrimaryKeyConstraint("operation_sequence", "approver", "approved_at", name=op.f("pk_admission_checklists")),
    )


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
