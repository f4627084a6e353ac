"""Every row of the projection, to compare one projection with another."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from gateway.projection.project import PROJECTION_TABLES
from gateway.store.session import Database


def projection_rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """By table, in the order of their keys."""
    with database.read() as session:
        return {
            table.__tablename__: [tuple(row) for row in session.execute(select(*table.__table__.c).order_by(*table.__table__.primary_key))]
            for table in PROJECTION_TABLES
        }
