"""The declarative base of all tables and the column types they share.

Hashes, member ids, references and reservation ids are lower-case text with 0x; times are Unix seconds in UTC unless named otherwise.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """All tables; constraint names are fixed so that migrations can name them. A whole number has 64 bits (SQLite's INTEGER has)."""

    type_annotation_map: ClassVar = {int: BigInteger().with_variant(Integer, "sqlite")}

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
