"""how often a brand's owners acted, which is the nonce of the next act, and what brands publish of their own keys"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("ledger_brands", sa.Column("owner_acts", whole, nullable=False, server_default="0"))
    op.create_table(
        "brand_documents",
        sa.Column("brand_id", whole, autoincrement=False, nullable=False),
        sa.Column("number", whole, autoincrement=False, nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", whole, nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.brand_id"], name=op.f("fk_brand_documents_brand_id_brands")),
        sa.PrimaryKeyConstraint("brand_id", "number", name=op.f("pk_brand_documents")),
    )


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
