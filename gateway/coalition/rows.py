"""The coalition's facts and the moment that business rules go by."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.coalition.coalition import Coalition
from gateway.coalition.tables import CoalitionRow
from gateway.projection.tables import LedgerBlockRow, LedgerGovernorsRow
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.calendar import SandboxTime, wall_clock
from gateway.values.errors import Unavailable
from gateway.values.ids import Address

# Made once: every unit of work asks these, and making a statement takes longer than its answer.
_FOUNDING = select(CoalitionRow)
_GOVERNING = select(LedgerGovernorsRow)
_HEAD_TIME = select(LedgerBlockRow.timestamp).order_by(LedgerBlockRow.number.desc()).limit(1)


class SqlCoalition:
    """Read once in a unit of work."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    @cached_property
    def facts(self) -> Coalition:
        """The coalition; refuses while the gateway is not initialized."""
        return the_coalition(self._session)


def business_clock(clock: Callable[[], int] = wall_clock) -> Callable[[UnitOfWork], int]:
    """The clock of units of work: the ledger's head in a sandbox, whose time is simulated; otherwise the wall clock."""
    return lambda work: current_time(work.session, work.of(SqlCoalition).facts, clock)


def find_coalition(session: Session) -> Coalition | None:
    """The coalition, or None before the gateway was initialized."""
    row = session.scalar(_FOUNDING)
    if row is None:
        return None
    return Coalition(
        row.coalition_id,
        row.chain_id,
        row.currency,
        row.utc_offset_seconds,
        row.sandbox,
        row.governance_address,
        row.brands_address,
        row.members_address,
        row.settlement_address,
        row.anchors_address,
        row.points_address,
        row.member_delay_seconds,
        **_who_governs(session, row),
    )


def _who_governs(session: Session, founding: CoalitionRow) -> dict[str, Any]:
    """As the ledger has it, once it is read so far."""
    now = session.scalar(_GOVERNING)
    accounts = founding.approver_addresses if now is None else now.approver_addresses
    return {
        "approvers": frozenset(Address.parse(account) for account in accounts.split(",") if account),
        "approvals_needed": (now or founding).approvals_needed,
        "governance_delay_seconds": founding.governance_delay_seconds if now is None else now.delay_seconds,
        "guardian": (now or founding).guardian_address,
    }


def the_coalition(session: Session) -> Coalition:
    """The coalition; refuses while the gateway is not initialized."""
    coalition = find_coalition(session)
    if coalition is None:
        raise Unavailable("the gateway is not initialized: run `splittally init`")
    return coalition


def current_time(session: Session, coalition: Coalition, clock: Callable[[], int]) -> int:
    """Unix seconds by the coalition's clock (see `business_clock`)."""
    if not coalition.sandbox:
        return clock()
    head = session.scalar(_HEAD_TIME)
    return SandboxTime(clock() if head is None else head, coalition.utc_offset_seconds)
