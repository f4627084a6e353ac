"""A member's standing on the ledger: who acts for it, its lock and guardian, what waits and what its grants still allow."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.ledger.member_acts import DelayedActKind, delayed_act
from gateway.ledger.state import MemberRecord, PendingMemberAct
from gateway.members.grant_views import GrantView, grants_of
from gateway.projection.ledger_state import load_state
from gateway.projection.member_tables import LedgerMemberRow, LedgerPendingActRow
from gateway.projection.tables import LedgerAuthorizerRow
from gateway.values.calendar import local_day, moment
from gateway.values.errors import NotFound
from gateway.values.hex import hex_text
from gateway.values.ids import MemberId


@dataclass(frozen=True, slots=True)
class AuthorizerView:
    authorizer_id: str
    kind: int
    authorizer: str


@dataclass(frozen=True, slots=True)
class PendingMemberActView:
    """`what` is unlock, remove_authorizer, set_guardian or recover; kind 0 names no authorizer."""

    act_id: str
    what: str
    kind: int
    authorizer: str
    nonce: str
    ready_at: str
    is_ready: bool


@dataclass(frozen=True, slots=True)
class StandingView:
    """`acts` is the nonce of the next act, `turn` that of a spend lock."""

    member_id: str
    acts: int
    turn: int
    is_locked: bool
    guardian_kind: int
    guardian: str | None
    authorizers: list[AuthorizerView]
    pending_acts: list[PendingMemberActView]
    grants: list[GrantView]


def member_record(session: Session, member: MemberId) -> MemberRecord:
    """The member as the ledger has it, with what waits. Refuses one that is not on the ledger."""
    record = load_state(session, [member], []).members.get(member)
    if record is None or not record.authorizers:
        raise NotFound(f"there is no member {member} on the ledger: enroll it, and wait until that is confirmed", member_id=str(member))
    for row in _pending(session, member):
        act = delayed_act(row.what, member, row.kind, row.authorizer, int(row.nonce), row.deadline)
        record.pending[row.act_id] = PendingMemberAct(act, row.ready_at, row.turn)
    return record


def member_standing(session: Session, member: MemberId, utc_offset_seconds: int, now: int) -> StandingView:
    record = member_record(session, member)
    authorizers = session.scalars(
        select(LedgerAuthorizerRow).where(LedgerAuthorizerRow.member_id == member).order_by(LedgerAuthorizerRow.authorizer_id)
    )
    row = session.get(LedgerMemberRow, member)
    kind, guardian = (row.guardian_kind, row.guardian) if row is not None else (0, b"")
    today = local_day(now, utc_offset_seconds)
    return StandingView(
        member_id=str(member),
        acts=record.acts,
        turn=record.turn,
        is_locked=record.is_locked,
        guardian_kind=kind,
        guardian=hex_text(guardian) if kind else None,
        authorizers=[AuthorizerView(str(each.authorizer_id), each.kind, hex_text(each.authorizer)) for each in authorizers],
        pending_acts=[_pending_view(each, now) for each in _pending(session, member) if each.turn == record.turn],
        grants=grants_of(record.grants, today, now),
    )


def _pending(session: Session, member: MemberId) -> list[LedgerPendingActRow]:
    rows = select(LedgerPendingActRow).where(LedgerPendingActRow.member_id == member)
    return list(session.scalars(rows.order_by(LedgerPendingActRow.ready_at, LedgerPendingActRow.act_id)))


def _pending_view(row: LedgerPendingActRow, now: int) -> PendingMemberActView:
    what = DelayedActKind(row.what).name.lower()
    ready_at = moment(row.ready_at)
    return PendingMemberActView(str(row.act_id), what, row.kind, hex_text(row.authorizer), row.nonce, ready_at, now >= row.ready_at)
