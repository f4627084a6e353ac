"""transfers and grants are found"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_HAS_TAKER = sa.text("taker_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("ledger_entries", sa.Column("taker_id", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_ledger_entries_taker", "ledger_entries", ["taker_id", "position"], sqlite_where=_HAS_TAKER, postgresql_where=_HAS_TAKER
    )
    op.create_index(op.f("ix_ledger_grants_granted_to"), "ledger_grants", ["granted_to"])


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
