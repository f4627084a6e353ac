"""an issue says what it rests on, a clawback what it takes of it; a ledger deployed before this is refused"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("awards", sa.Column("decision", sa.String(), nullable=False, server_default=""))
    op.add_column("awards", sa.Column("decision_salt", sa.LargeBinary(), nullable=False, server_default=""))
    op.add_column("ledger_lots", sa.Column("restored", whole, nullable=False, server_default="0"))
    op.create_table(
        "ledger_clawed_issues",
        *(sa.Column(name, whole, autoincrement=False, nullable=False) for name in ("brand_id", "batch_number", "entry_index")),
        sa.Column("member_id", sa.LargeBinary(), nullable=False),
        sa.Column("points", whole, nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "batch_number", "entry_index", name=op.f("pk_ledger_clawed_issues")),
    )


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
