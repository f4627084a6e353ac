"""Every table, imported in one place: whoever needs the whole metadata imports this."""

from __future__ import annotations

from sqlalchemy import MetaData

import gateway.access.tables
import gateway.brands.tables
import gateway.checkpoints.tables
import gateway.coalition.tables
import gateway.loyalty.programmes.tables
import gateway.members.tables
import gateway.payments.tables
import gateway.points.tables
import gateway.projection.member_tables
import gateway.projection.tables
import gateway.purchases.tables
import gateway.reconciliation.tables
import gateway.rounds.tables
import gateway.store.counters
import gateway.store.lease  # noqa: F401 - each is imported for the tables that it declares
from gateway.store.base import Base


def metadata() -> MetaData:
    """The tables of every feature, the write path and the projection."""
    return Base.metadata
