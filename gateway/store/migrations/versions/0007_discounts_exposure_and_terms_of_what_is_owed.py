"""discounts, exposure, and the terms under which points are owed; the projection's rows are read anew from a ledger that has them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.drop_table("ledger_owed")
    _pairs("ledger_owed", whole, ("issuer_id", "acceptor_id", "terms_number"), "points")
    _pairs("ledger_exposure", whole, ("issuer_id", "acceptor_id"), "points")
    _pairs("ledger_exposure_limits", whole, ("acceptor_id", "issuer_id"), "most")
    for name in ("discount_minor", "terms_number"):
        op.add_column("ledger_reservation_lots", sa.Column(name, whole, nullable=False, server_default="0"))
    op.add_column("ledger_lots", sa.Column("moved", whole, nullable=False, server_default="0"))
    op.create_index(op.f("ix_ledger_reservations_status_deadline"), "ledger_reservations", ["status", "deadline"])
    op.drop_table("ledger_movements")
    op.create_table(
        "ledger_movements",
        sa.Column("position", whole, autoincrement=False, nullable=False),
        sa.Column("lot_id", whole, autoincrement=False, nullable=False),
        sa.Column("member_id", sa.LargeBinary(), nullable=False),
        sa.Column("held_delta", whole, nullable=False),
        sa.Column("reserved_delta", whole, nullable=False),
        sa.PrimaryKeyConstraint("position", "lot_id", "member_id", name=op.f("pk_ledger_movements")),
    )


def _pairs(table: str, whole: sa.types.TypeEngine[int], key: tuple[str, ...], value: str) -> None:
    op.create_table(
        table,
        *(sa.Column(name, whole, autoincrement=False, nullable=False) for name in key),
        sa.Column(value, whole, nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
    )


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
