"""the contract computes roots; a ledger deployed before this is refused, so that no batch with a root is left"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("batches", "root")


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
