"""Whole numbers that are given out one after another. A counter is a row, locked until its unit of work ends: no number is given out twice,
and none is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import case
from sqlalchemy.orm import Mapped, Session, mapped_column

from gateway.store.base import Base
from gateway.store.upsert import insert_into


class CounterRow(Base):
    """`last` is the highest number given out."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


def next_number(session: Session, name: str) -> int:
    """One more than the last; the first is 1."""
    first = insert_into(session, CounterRow).values(name=name, last=1)
    given = first.on_conflict_do_update(index_elements=["name"], set_={"last": CounterRow.last + 1}).returning(CounterRow.last)
    return int(session.execute(given).scalar_one())


def note_given(session: Session, numbers: Mapping[str, int]) -> None:
    """These numbers, by counter, came from elsewhere: what is given out next is higher."""
    if numbers:
        row = insert_into(session, CounterRow)
        higher = case((CounterRow.last < row.excluded.last, row.excluded.last), else_=CounterRow.last)
        rows = [{"name": name, "last": number} for name, number in sorted(numbers.items())]
        session.execute(row.on_conflict_do_update(index_elements=["name"], set_={"last": higher}), rows)
