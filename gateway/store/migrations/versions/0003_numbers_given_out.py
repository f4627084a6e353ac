"""numbers given out"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("last", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.execute("INSERT INTO counters (name, last) SELECT 'nonce', max(nonce) + 1 FROM transactions HAVING count(*) > 0")
    op.execute("INSERT INTO counters (name, last) SELECT 'brand', max(brand_id) FROM brands HAVING count(*) > 0")
    op.execute(
        "INSERT INTO counters (name, last) SELECT 'batch of ' || brand_id, max(number) FROM "
        "(SELECT brand_id, number FROM batches UNION ALL SELECT brand_id, number FROM ledger_batches) AS given GROUP BY brand_id"
    )


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
