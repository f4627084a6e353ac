"""expiry runs, a row a brand and day; of an expiry, its run's day; the members of a lot are found by it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "expiry_runs",
        sa.Column("brand_id", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("day", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("lots", _WHOLE, nullable=False),
        sa.Column("upto_lot", _WHOLE, nullable=True),
        sa.Column("upto_member", sa.LargeBinary(), nullable=True),
        sa.Column("started_at", _WHOLE, nullable=False),
        sa.Column("accepted_at", _WHOLE, nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.brand_id"], name=op.f("fk_expiry_runs_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "day", name=op.f("pk_expiry_runs")),
    )
    goes_on = sa.text("accepted_at IS NULL")
    op.create_index("ix_expiry_runs_going_on", "expiry_runs", ["day"], sqlite_where=goes_on, postgresql_where=goes_on)
    op.add_column("operations", sa.Column("run_day", _WHOLE, nullable=True))
    of_a_run = sa.text("run_day IS NOT NULL")
    op.create_index("ix_operations_run", "operations", ["brand_id", "run_day"], sqlite_where=of_a_run, postgresql_where=of_a_run)
    op.create_index("ix_ledger_member_lots_lot", "ledger_member_lots", ["lot_id", "member_id"])


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
