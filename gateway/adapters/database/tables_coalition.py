"""Tables of the coalition: its deployment, brands, API keys, earning rules and members."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.adapters.database.base import Base


class CoalitionRow(Base):
    """The one coalition of this gateway and where its ledger is; written once, checked at every start."""

    __tablename__ = "coalition"
    __table_args__ = (CheckConstraint("single = 1", name="only_one"),)

    single: Mapped[int] = mapped_column(primary_key=True, default=1)
    coalition_id: Mapped[str]
    chain_id: Mapped[int]
    genesis_hash: Mapped[str]
    currency: Mapped[str]
    utc_offset_seconds: Mapped[int]
    sandbox: Mapped[bool]
    access_manager_address: Mapped[str]
    points_address: Mapped[str]
    code_hash: Mapped[str]
    deployed_block: Mapped[int | None]


class BrandRow(Base):
    """What the gateway knows of a brand beside the ledger. `reference_secret` keys the hashes of its payment and order ids."""

    __tablename__ = "brands"

    brand_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(unique=True)
    reference_secret: Mapped[bytes]
    signer_url: Mapped[str]
    signer_token: Mapped[str]
    key_address: Mapped[str]
    issue_limit: Mapped[int]
    par_numerator: Mapped[int]
    par_denominator: Mapped[int]
    redemption_numerator: Mapped[int]
    redemption_denominator: Mapped[int]
    lot_validity_months: Mapped[int]
    earn_on_tax: Mapped[bool]
    operation_id: Mapped[str]
    created_at: Mapped[int]


class ApiKeyRow(Base):
    """A bearer key, stored as SHA-256 only. `brand_id` is empty for the operator and the auditor."""

    __tablename__ = "api_keys"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    key_hash: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brands.brand_id"))
    label: Mapped[str]
    created_at: Mapped[int]
    revoked_at: Mapped[int | None]


class EarningRuleRow(Base):
    """A published version of a brand's base rule: floor(earn base in minor units x points / minor units)."""

    __tablename__ = "earning_rules"

    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    points: Mapped[int]
    per_minor: Mapped[int]
    valid_from: Mapped[int]
    created_at: Mapped[int]


class MemberRow(Base):
    """A member: a pseudonym that commits to its first authorizer."""

    __tablename__ = "members"

    member_id: Mapped[str] = mapped_column(primary_key=True)
    authorizer_kind: Mapped[int]
    authorizer: Mapped[str]
    salt: Mapped[str]
    operation_id: Mapped[str]
    created_at: Mapped[int]


class IdempotentRequestRow(Base):
    """Every write, for ever: the caller's key, what it asked, and the one resource that came of it."""

    __tablename__ = "idempotent_requests"

    principal: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    content_hash: Mapped[str]
    resource_kind: Mapped[str]
    resource_id: Mapped[str]
    created_at: Mapped[int]


class PrivilegedActionRow(Base):
    """Append-only record of what operators and brands did with powers beyond ordinary entries."""

    __tablename__ = "privileged_actions"

    action_id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[int]
    principal: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str]


class PurchaseRow(Base):
    """A purchase as the brand's till reported it; (brand, payment id) earns once."""

    __tablename__ = "purchases"
    __table_args__ = (UniqueConstraint("brand_id", "payment_id"),)

    purchase_id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    payment_id: Mapped[str]
    member_id: Mapped[str | None] = mapped_column(index=True)
    store: Mapped[str]
    channel: Mapped[str]
    currency: Mapped[str]
    gross_minor: Mapped[int]
    tax_minor: Mapped[int]
    paid_with_points_minor: Mapped[int]
    occurred_at: Mapped[str]
    business_date: Mapped[str] = mapped_column(index=True)
    rule_version: Mapped[int]
    points: Mapped[int]
    reference: Mapped[str]
    content_hash: Mapped[str]
    operation_id: Mapped[str | None]


class PurchaseLineRow(Base):
    """One line of a purchase."""

    __tablename__ = "purchase_lines"

    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchases.purchase_id"), primary_key=True)
    line_number: Mapped[int] = mapped_column(primary_key=True)
    category: Mapped[str]
    quantity: Mapped[int]
    amount_minor: Mapped[int]


class PaymentRefundRow(Base):
    """Money that went back, as the brand reported it, and the clawback that followed.

    `points_due` is this refund's share by the cumulative floor; `points_short` of them had been spent and could not be taken back.
    """

    __tablename__ = "payment_refunds"
    __table_args__ = (UniqueConstraint("brand_id", "refund_id"),)

    payment_refund_id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"))
    refund_id: Mapped[str]
    payment_id: Mapped[str] = mapped_column(index=True)
    amount_minor: Mapped[int]
    occurred_at: Mapped[str]
    business_date: Mapped[str]
    points_due: Mapped[int]
    points_short: Mapped[int]
    reference: Mapped[str]
    content_hash: Mapped[str]
    operation_id: Mapped[str | None]


class BulkResultRow(Base):
    """What became of each item of a bulk request (JSON), so that the request can be shown again."""

    __tablename__ = "bulk_results"

    bulk_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    results: Mapped[str]
    created_at: Mapped[int]


class GatewaySecretRow(Base):
    """A secret that the gateway made for itself, such as the key of members' view links."""

    __tablename__ = "gateway_secrets"

    name: Mapped[str] = mapped_column(primary_key=True)
    secret: Mapped[bytes]
