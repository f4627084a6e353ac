"""opening imports, refunds that failed, clawbacks that are carried, and which brands extend by activity"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for setting in ("extends_by_activity", "carries_clawbacks"):
        op.add_column("brands", sa.Column(setting, sa.Boolean(), nullable=False, server_default=sa.false()))
    _openings(whole)

    def refund() -> sa.Column[int]:
        return sa.Column("payment_refund_id", whole, autoincrement=False, nullable=False)

    op.create_table(
        "refund_failures",
        refund(),
        sa.Column("occurred_at", sa.String(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_refund_id"], ["payment_refunds.payment_refund_id"], name=op.f("fk_refund_failures_payment_refund_id")
        ),
        sa.PrimaryKeyConstraint("payment_refund_id", name=op.f("pk_refund_failures")),
    )
    op.create_table(
        "award_restores",
        refund(),
        sa.Column("number", whole, autoincrement=False, nullable=False),
        sa.Column("issuer_id", whole, nullable=False),
        sa.Column("points_due", whole, nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=False),
        sa.Column("operation_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_refund_id"], ["refund_failures.payment_refund_id"], name=op.f("fk_award_restores_payment_refund_id")
        ),
        sa.ForeignKeyConstraint(["issuer_id"], ["brands.brand_id"], name=op.f("fk_award_restores_issuer_id")),
        sa.PrimaryKeyConstraint("payment_refund_id", "number", name=op.f("pk_award_restores")),
    )
    op.create_index(op.f("ix_award_restores_operation_id"), "award_restores", ["operation_id"])
    op.create_table(
        "carried_clawbacks",
        refund(),
        sa.Column("number", whole, autoincrement=False, nullable=False),
        sa.Column("part", whole, autoincrement=False, nullable=False),
        sa.Column("issuer_id", whole, nullable=False),
        sa.Column("points_due", whole, nullable=False),
        sa.Column("points_short", whole, nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=False),
        sa.Column("operation_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_refund_id"], ["payment_refunds.payment_refund_id"], name=op.f("fk_carried_clawbacks_payment_refund_id")
        ),
        sa.ForeignKeyConstraint(["issuer_id"], ["brands.brand_id"], name=op.f("fk_carried_clawbacks_issuer_id")),
        sa.PrimaryKeyConstraint("payment_refund_id", "number", "part", name=op.f("pk_carried_clawbacks")),
    )
    op.create_index(op.f("ix_carried_clawbacks_operation_id"), "carried_clawbacks", ["operation_id"])


def _openings(whole: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "opening_files",
        sa.Column("opening_file_id", sa.String(), nullable=False),
        sa.Column("brand_id", whole, nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(), nullable=False),
        sa.Column("ratio_points", whole, nullable=False),
        sa.Column("ratio_units", whole, nullable=False),
        sa.Column("expires_on", sa.String(), nullable=True),
        sa.Column("row_count", whole, nullable=False),
        sa.Column("created_at", whole, nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.brand_id"], name=op.f("fk_opening_files_brand_id")),
        sa.PrimaryKeyConstraint("opening_file_id", name=op.f("pk_opening_files")),
        sa.UniqueConstraint("brand_id", "source", name=op.f("uq_opening_files_brand_id_source")),
    )
    op.create_table(
        "opening_lines",
        sa.Column("opening_file_id", sa.String(), nullable=False),
        sa.Column("line_number", whole, autoincrement=False, nullable=False),
        sa.Column("member_id", sa.LargeBinary(), nullable=True),
        sa.Column("units", whole, nullable=False),
        sa.Column("expiry_day", whole, nullable=False),
        sa.Column("points", whole, nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=True),
        sa.Column("operation_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["opening_file_id"], ["opening_files.opening_file_id"], name=op.f("fk_opening_lines_opening_file_id")),
        sa.PrimaryKeyConstraint("opening_file_id", "line_number", name=op.f("pk_opening_lines")),
    )
    for column in ("reference", "operation_id"):
        op.create_index(op.f(f"ix_opening_lines_{column}"), "opening_lines", [column])
    waits = sa.text("operation_id IS NULL AND reason IS NULL")
    op.create_index("ix_opening_lines_waiting", "opening_lines", ["opening_file_id"], sqlite_where=waits, postgresql_where=waits)
    op.create_table(
        "activity_seen",
        sa.Column("brand_id", whole, autoincrement=False, nullable=False),
        sa.Column("position", whole, nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.brand_id"], name=op.f("fk_activity_seen_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_activity_seen")),
    )


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
