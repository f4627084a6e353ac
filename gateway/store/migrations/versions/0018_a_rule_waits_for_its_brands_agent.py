"""of a rule, whose signature it bears and from when on it is in force; of a brand, the key that signs its rules"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Rules that were published before are in force from their beginning, as they were."""
    op.add_column("brands", sa.Column("publisher_address", sa.LargeBinary(), nullable=True))
    op.add_column("earning_rules", sa.Column("in_force_from", _WHOLE, nullable=True))
    op.add_column("earning_rules", sa.Column("signature", sa.LargeBinary(), nullable=True))
    op.execute("UPDATE earning_rules SET in_force_from = valid_from")


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
