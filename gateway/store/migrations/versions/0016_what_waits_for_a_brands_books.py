"""of an operation that its brand's signer knows nothing of yet, when it is tried next and until when"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("operations", sa.Column("not_before", _WHOLE, nullable=True))
    op.add_column("operations", sa.Column("given_up_at", _WHOLE, nullable=True))


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
