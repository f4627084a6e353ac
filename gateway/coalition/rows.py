"""The coalition's facts and the moment that business rules go by."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.coalition.coalition import Coalition
from gateway.coalition.tables import CoalitionRow
from gateway.projection.tables import LedgerBlockRow
from gateway.values.errors import Unavailable


def find_coalition(session: Session) -> Coalition | None:
    """The coalition, or None before the gateway was initialized."""
    row = session.scalar(select(CoalitionRow))
    if row is None:
        return None
    return Coalition(
        bytes.fromhex(row.coalition_id.removeprefix("0x")),
        row.chain_id,
        row.currency,
        row.utc_offset_seconds,
        row.sandbox,
        bytes.fromhex(row.points_address.removeprefix("0x")),
    )


def the_coalition(session: Session) -> Coalition:
    """The coalition; refuses while the gateway is not initialized."""
    coalition = find_coalition(session)
    if coalition is None:
        raise Unavailable("the gateway is not initialized: run `splittally init`")
    return coalition


def current_time(session: Session, coalition: Coalition, wall_clock: Callable[[], int]) -> int:
    """Unix seconds: the ledger's head in a sandbox, whose time is simulated; otherwise the wall clock."""
    if not coalition.sandbox:
        return wall_clock()
    head = session.scalar(select(LedgerBlockRow.timestamp).order_by(LedgerBlockRow.number.desc()).limit(1))
    return wall_clock() if head is None else head
