"""the lease of the one process that works on the ledger"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "worker_lease",
        sa.Column("lease_id", _WHOLE, nullable=False),
        sa.Column("token", _WHOLE, nullable=False),
        sa.Column("until_ms", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("lease_id", name=op.f("pk_worker_lease")),
    )


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
