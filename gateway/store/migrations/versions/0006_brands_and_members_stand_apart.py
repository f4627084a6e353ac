"""brands and members stand apart from the ledger; a ledger deployed before this is refused, so that no act or register is left to read"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CONTRACTS = ("brands_address", "members_address", "anchors_address")


def upgrade() -> None:
    for name in _CONTRACTS:
        op.add_column("coalition", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.add_column("governance_acts", sa.Column("target", sa.LargeBinary(), nullable=True))
    op.execute("UPDATE coalition SET brands_address = points_address, members_address = points_address, anchors_address = points_address")
    op.execute("UPDATE governance_acts SET target = (SELECT points_address FROM coalition)")
    # Rebuilt on SQLite, which says nothing of checks when it is asked for a table's constraints.
    with op.batch_alter_table("coalition", table_args=(sa.CheckConstraint("single = 1", name=op.f("ck_coalition_only_one")),)) as table:
        for name in _CONTRACTS:
            table.alter_column(name, existing_type=sa.LargeBinary(), nullable=False)
    with op.batch_alter_table("governance_acts") as table:
        table.alter_column("target", existing_type=sa.LargeBinary(), nullable=False)


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
