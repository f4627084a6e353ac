"""the ledger stands under governance; a ledger deployed before this is refused, so that no brand of it is left to read"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TERMS = ("par_numerator", "par_denominator", "redemption_numerator", "redemption_denominator")


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.alter_column("coalition", "access_manager_address", new_column_name="governance_address")
    op.create_table(
        "ledger_brand_terms",
        sa.Column("brand_id", whole, autoincrement=False, nullable=False),
        sa.Column("number", whole, autoincrement=False, nullable=False),
        *(sa.Column(name, whole, nullable=False) for name in (*_TERMS, "fee_basis_points", "run_off_days", "notice_days", "valid_from")),
        sa.PrimaryKeyConstraint("brand_id", "number", name=op.f("pk_ledger_brand_terms")),
    )
    for name in _TERMS:
        op.drop_column("ledger_brands", name)
    op.add_column("ledger_brands", sa.Column("last_day", whole, nullable=False, server_default="0"))
    op.add_column("ledger_brands", sa.Column("owner_address", sa.LargeBinary(), nullable=True))
    op.add_column("ledger_brand_keys", sa.Column("managed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("coalition", sa.Column("guardian_address", sa.LargeBinary(), nullable=True))
    op.add_column("coalition", sa.Column("approver_addresses", sa.String(), nullable=False, server_default=""))
    op.add_column("coalition", sa.Column("approvals_needed", whole, nullable=False, server_default="1"))
    op.add_column("coalition", sa.Column("governance_delay_seconds", whole, nullable=False, server_default="0"))
    op.create_table(
        "governance_acts",
        sa.Column("operation_sequence", whole, autoincrement=False, nullable=False),
        sa.Column("act_id", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("delay_seconds", whole, nullable=False),
        sa.Column("proposed_in", whole, nullable=False),
        _foreign("governance_acts", "operation_sequence", "operations", "sequence"),
        _foreign("governance_acts", "proposed_in", "transactions", "transaction_id"),
        sa.PrimaryKeyConstraint("operation_sequence", name=op.f("pk_governance_acts")),
        sa.UniqueConstraint("act_id", name=op.f("uq_governance_acts_act_id")),
    )
    op.create_table(
        "governance_approvals",
        sa.Column("operation_sequence", whole, autoincrement=False, nullable=False),
        sa.Column("approver", sa.LargeBinary(), nullable=False),
        sa.Column("approved_at", whole, nullable=False),
        sa.Column("good_until", whole, nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        _foreign("governance_approvals", "operation_sequence", "governance_acts", "operation_sequence"),
        sa.PrimaryKeyConstraint("operation_sequence", "approver", name=op.f("pk_governance_approvals")),
    )


def _foreign(table: str, column: str, other: str, other_column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.{other_column}"], name=op.f(f"fk_{table}_{column}_{other}"))


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
