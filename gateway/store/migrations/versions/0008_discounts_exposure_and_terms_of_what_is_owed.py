"""discounts, exposure, and the terms under which points are owed; the projection's rows are read anew from a ledger that has them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    with op.batch_alter_table("ledger_owed") as owed:
        owed.add_column(sa.Column("terms_number", whole, nullable=False, server_default="0"))
        owed.drop_constraint("pk_ledger_owed", type_="primary")
        owed.create_primary_key("pk_ledger_owed", ["issuer_id", "acceptor_id", "terms_number"])
    with op.batch_alter_table("ledger_movements") as movements:
        movements.drop_constraint("pk_ledger_movements", type_="primary")
        movements.create_primary_key("pk_ledger_movements", ["position", "lot_id", "member_id"])
    _pairs("ledger_exposure", whole, ("issuer_id", "acceptor_id"), "points")
    _pairs("ledger_exposure_limits", whole, ("acceptor_id", "issuer_id"), "most")
    for name in ("discount_minor", "terms_number"):
        op.add_column("ledger_reservation_lots", sa.Column(name, whole, nullable=False, server_default="0"))
    op.add_column("ledger_lots", sa.Column("moved", whole, nullable=False, server_default="0"))
    op.create_index(op.f("ix_ledger_reservations_status_deadline"), "ledger_reservations", ["status", "deadline"])


def _pairs(table: str, whole: sa.types.TypeEngine[int], key: tuple[str, ...], value: str) -> None:
    op.create_table(
        table,
        *(sa.Column(name, whole, autoincrement=False, nullable=False) for name in key),
        sa.Column(value, whole, nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
    )


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
