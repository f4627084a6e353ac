"""checkpoints"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "checkpoints",
        sa.Column("witness", sa.LargeBinary(), nullable=False),
        sa.Column("number", whole, autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("block_time", whole, nullable=False),
        sa.Column("witnessed_at", whole, nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", whole, nullable=False),
        sa.PrimaryKeyConstraint("witness", "number", name=op.f("pk_checkpoints")),
    )
    op.create_index("ix_checkpoints_number", "checkpoints", ["number"])


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
