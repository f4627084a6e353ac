"""Tables of brands."""

from __future__ import annotations

from sqlalchemy import ForeignKey, false
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base
from gateway.values.ids import Address


class BrandRow(Base):
    """What the gateway knows of a brand beside the ledger. `reference_secret` keys the hashes of its payment and order ids;
    `publisher_address` is the key that signs its rules, where any does."""

    __tablename__ = "brands"

    brand_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(unique=True)
    reference_secret: Mapped[bytes]
    signer_url: Mapped[str]
    signer_token: Mapped[str]
    key_address: Mapped[Address]
    issue_limit: Mapped[int]
    par_numerator: Mapped[int]
    par_denominator: Mapped[int]
    redemption_numerator: Mapped[int]
    redemption_denominator: Mapped[int]
    lot_validity_months: Mapped[int]
    earn_on_tax: Mapped[bool]
    extends_by_activity: Mapped[bool] = mapped_column(server_default=false())
    carries_clawbacks: Mapped[bool] = mapped_column(server_default=false())
    publisher_address: Mapped[Address | None]
    operation_id: Mapped[str]
    created_at: Mapped[int]


class BrandDocumentRow(Base):
    """What a brand published of its own keys: canonical JSON and its owner's signature."""

    __tablename__ = "brand_documents"

    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.brand_id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[str]
    signature: Mapped[bytes]
    received_at: Mapped[int]
