"""Redemptions under a grant: whom the grant is to, and whether it allows one more."""

from __future__ import annotations

from gateway.ledger.entries import BRAND_GRANT, MEMBER_GRANT
from gateway.ledger.member_acts import grant_to_brand, grant_to_member
from gateway.members.ports import Members
from gateway.members.spending_leave import check_grant
from gateway.rounds.operation import RedemptionOperation
from gateway.rounds.ports import Operations
from gateway.values.ids import Hash, MemberId


def granted_to(operation: RedemptionOperation) -> Hash | None:
    """To whom the grant is that it uses; None where the member consents itself."""
    if operation.proof_kind == BRAND_GRANT:
        return grant_to_brand(operation.brand_id)
    return grant_to_member(MemberId(operation.proof[:20])) if operation.proof_kind == MEMBER_GRANT else None


def check_grant_use(new: RedemptionOperation, *, members: Members, operations: Operations, local_day: int, now: int) -> None:
    """What is on its way under the same grant counts."""
    to = granted_to(new)
    if to is not None:
        on_their_way = [each.points for each in operations.pending_redemptions(new.member_id) if granted_to(each) == to]
        check_grant(new.member_id, to, new.points, on_their_way, members, local_day=local_day, now=now)
