"""Whether a member's points may be spent now: no spend lock, and for whoever is not the member a grant that allows it."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.ledger.model_members import grant_refusal
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.state import MemberRecord
from gateway.members.ports import Members
from gateway.values.errors import ConsentRefused, GrantExceeded, GrantMissing, MemberLocked
from gateway.values.ids import Hash, MemberId
from gateway.values.points import Points


def check_not_locked(member_id: MemberId, members: Members) -> None:
    """Refuses a member that is not on the ledger, or has locked its spending."""
    if not members.authorizers(member_id):
        raise ConsentRefused(f"member {member_id} is not enrolled on the ledger", member_id=str(member_id))
    if members.is_locked(member_id):
        wanted = "ask the member to unlock, which takes its delay"
        raise MemberLocked(f"member {member_id} has locked its spending: {wanted}", member_id=str(member_id))


def check_grant(
    giver: MemberId, to: Hash, points: Points, on_their_way: Iterable[Points], members: Members, *, local_day: int, now: int
) -> None:
    """By the ledger's own rule; what was accepted under the same grant and is not on the ledger yet is spent first."""
    grant = members.grant(giver, to)
    if grant is None:
        raise _missing(giver)
    record = MemberRecord(grants={to: grant})
    for earlier in on_their_way:
        grant_refusal(record, to, earlier, local_day, now)
    spent_today = grant.spent_on_day if grant.spent_day == local_day else 0
    refusal = grant_refusal(record, to, points, local_day, now)
    if refusal is RefusalReason.GRANT_MISSING:
        raise _missing(giver)
    if refusal is not None:
        left_today, left_in_all = max(0, grant.per_day - spent_today), max(0, grant.in_all - grant.spent_in_all)
        allowed = f"{grant.per_purchase} points a purchase, {left_today} more today and {left_in_all} more in all"
        raise GrantExceeded(
            f"the grant of member {giver} allows {allowed}: ask for fewer, or for the member's own consent",
            points=points,
            per_purchase=grant.per_purchase,
            left_today=left_today,
            left_in_all=left_in_all,
        )


def _missing(giver: MemberId) -> GrantMissing:
    wanted = "ask for the member's own consent, or for a grant"
    return GrantMissing(f"no grant of member {giver} holds for this: {wanted}", member_id=str(giver))
