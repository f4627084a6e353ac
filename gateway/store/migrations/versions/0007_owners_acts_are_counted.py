"""how often a brand's owners acted, which is the nonce of the next act; a projection of an earlier version reads it when it is rebuilt"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("ledger_brands", sa.Column("owner_acts", whole, nullable=False, server_default="0"))


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
