"""The declarative base of all tables and the column types they share.

Ids and hashes are bytes of a known length, each read as a type of its own; times are Unix seconds in UTC unless named otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, MetaData, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

from gateway.values.ids import Address, Hash, Id, LotId, MemberId, Reference, ReservationId

WHOLE = BigInteger().with_variant(Integer, "sqlite")


class IdType(TypeDecorator[Id]):
    """A column of ids of one kind. What a damaged row holds instead is left as it is: no id, and equal to none."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, kind: type[Id]) -> None:
        super().__init__()
        self.kind = kind

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Every id that is written passes here: both drivers take bytes as they are."""
        kind = self.kind

        def write(value: Any) -> Any:
            if value is None or type(value) is kind:
                return value
            raise TypeError(f"a column of {kind.__name__} takes no {type(value).__name__}")

        return write

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Every id that is read passes here; both databases give bytes, so nothing else stands between."""
        kind, size, new = self.kind, self.kind.SIZE, bytes.__new__

        def read(value: Any) -> Any:
            return new(kind, value) if type(value) is bytes and len(value) == size else value

        return read


class Base(DeclarativeBase):
    """All tables; constraint names are fixed so that migrations can name them. A whole number has 64 bits (SQLite's INTEGER has)."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: WHOLE,
        LotId: WHOLE,
        **{kind: IdType(kind) for kind in (Address, Hash, MemberId, Reference, ReservationId)},
    }

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
