"""of what is clawed back, the latest expiry of the lots it was taken from; a ledger that keeps none is refused by its code"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("ledger_clawed_issues", sa.Column("latest_day", _WHOLE, nullable=False, server_default="0"))


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
