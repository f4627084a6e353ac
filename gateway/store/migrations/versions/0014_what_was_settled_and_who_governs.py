"""what cycles have settled, who governs as the ledger has it, and what the deployment built in; one before this is refused by its code"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ledger_governors",
        sa.Column("single", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("operator_address", sa.LargeBinary(), nullable=False),
        sa.Column("guardian_address", sa.LargeBinary(), nullable=False),
        sa.Column("approver_addresses", sa.String(), nullable=False),
        sa.Column("approvals_needed", _WHOLE, nullable=False),
        sa.Column("delay_seconds", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("single", name=op.f("pk_ledger_governors")),
    )
    op.add_column("ledger_owed", sa.Column("settled", _WHOLE, nullable=False, server_default="0"))
    op.add_column("coalition", sa.Column("member_delay_seconds", _WHOLE, nullable=False, server_default="0"))
    op.add_column("coalition", sa.Column("settlement_address", sa.LargeBinary(), nullable=True))
    op.execute("UPDATE coalition SET settlement_address = points_address")
    # Rebuilt on SQLite, which says nothing of checks when it is asked for a table's constraints.
    with op.batch_alter_table("coalition", table_args=(sa.CheckConstraint("single = 1", name=op.f("ck_coalition_only_one")),)) as table:
        table.alter_column("settlement_address", existing_type=sa.LargeBinary(), nullable=False)


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
