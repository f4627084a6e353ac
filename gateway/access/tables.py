"""Tables of API keys, repeated requests, bulk results, privileged acts and the gateway's own secrets."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base
from gateway.values.ids import Hash


class ApiKeyRow(Base):
    """A bearer key, stored as SHA-256 only. `brand_id` is empty for the operator and the auditor."""

    __tablename__ = "api_keys"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    key_hash: Mapped[Hash] = mapped_column(unique=True)
    role: Mapped[str]
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brands.brand_id"))
    label: Mapped[str]
    created_at: Mapped[int]
    revoked_at: Mapped[int | None]


class IdempotentRequestRow(Base):
    """Every write, for ever: the caller's key, what it asked, and the one resource that came of it."""

    __tablename__ = "idempotent_requests"

    principal: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    content_hash: Mapped[Hash]
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
