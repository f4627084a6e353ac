"""Grants as they stand: what a member lets others spend, and what it may spend of others' points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from gateway.ledger.member_acts import grant_to_member
from gateway.ledger.state import GrantRecord
from gateway.projection.ledger_state import grant_record
from gateway.projection.member_tables import LedgerGrantRow, LedgerMemberRow
from gateway.values.calendar import local_day
from gateway.values.hex import hex_text
from gateway.values.ids import Hash, MemberId


@dataclass(frozen=True, slots=True)
class GrantView:
    """To a brand or to another member, until a Unix second; what is left today and in all."""

    brand_id: int | None
    member_id: str | None
    per_purchase: int
    per_day: int
    in_all: int
    until: int
    left_today: int
    left_in_all: int


@dataclass(frozen=True, slots=True)
class ReceivedGrantView:
    """Of a giver who has not locked its spending; whether it has the points, its own `available` says."""

    giver_id: str
    per_purchase: int
    left_today: int
    left_in_all: int
    until: int


def grants_of(grants: Mapping[Hash, GrantRecord], today: int, now: int) -> list[GrantView]:
    """Those that hold."""
    return [_grant_view(to, grant, today) for to, grant in sorted(grants.items()) if grant.per_purchase and grant.until >= now]


def grants_given(session: Session, givers: Sequence[MemberId], utc_offset_seconds: int, now: int) -> dict[MemberId, list[GrantView]]:
    """By giver; a few hundred at most are asked for."""
    today = local_day(now, utc_offset_seconds)
    given: dict[MemberId, dict[Hash, GrantRecord]] = {giver: {} for giver in givers}
    for row in session.scalars(_GIVEN, {"givers": givers}):
        given[row.giver_id][row.granted_to] = grant_record(row)
    return {giver: grants_of(grants, today, now) for giver, grants in given.items()}


def grants_received(
    session: Session, members: Sequence[MemberId], utc_offset_seconds: int, now: int
) -> dict[MemberId, list[ReceivedGrantView]]:
    """Each member's by giver; a few hundred members at most are asked for."""
    today = local_day(now, utc_offset_seconds)
    received: dict[Hash, list[ReceivedGrantView]] = {grant_to_member(member): [] for member in members}
    for row in session.scalars(_RECEIVED, {"to": list(received), "now": now}):
        left = _left(grant_record(row), today)
        received[row.granted_to].append(ReceivedGrantView(str(row.giver_id), row.per_purchase, *left, row.until))
    return {member: received[grant_to_member(member)] for member in members}


_GIVEN = select(LedgerGrantRow).where(LedgerGrantRow.giver_id.in_(bindparam("givers", expanding=True)))
_RECEIVED = (
    select(LedgerGrantRow)
    .where(
        LedgerGrantRow.granted_to.in_(bindparam("to", expanding=True)),
        LedgerGrantRow.per_purchase > 0,
        LedgerGrantRow.until >= bindparam("now"),
        LedgerGrantRow.giver_id.not_in(select(LedgerMemberRow.member_id).where(LedgerMemberRow.is_locked)),
    )
    .order_by(LedgerGrantRow.giver_id)
)


def _grant_view(to: Hash, grant: GrantRecord, today: int) -> GrantView:
    brand = int.from_bytes(to)
    is_brand = brand < 2**32
    left_today, left_in_all = _left(grant, today)
    return GrantView(
        brand_id=brand if is_brand else None,
        member_id=None if is_brand else hex_text(to[12:]),
        per_purchase=grant.per_purchase,
        per_day=grant.per_day,
        in_all=grant.in_all,
        until=grant.until,
        left_today=left_today,
        left_in_all=left_in_all,
    )


def _left(grant: GrantRecord, today: int) -> tuple[int, int]:
    """(today, in all)"""
    left_in_all = max(0, grant.in_all - grant.spent_in_all)
    spent_today = grant.spent_on_day if grant.spent_day == today else 0
    return min(left_in_all, max(0, grant.per_day - spent_today)), left_in_all
