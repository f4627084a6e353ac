"""Enroll a member: a pseudonym with its first authorizer. Anyone may relay it, the id commits to the authorizer."""

from __future__ import annotations

from gateway.coalition.coalition import Coalition
from gateway.members.member import Member, new_member
from gateway.members.ports import Members
from gateway.rounds.operation import EnrollOperation
from gateway.rounds.ports import Operations
from gateway.values.ids import OperationId


def enroll_member(
    kind: int,
    authorizer: bytes,
    salt: bytes,
    *,
    coalition: Coalition,
    members: Members,
    operations: Operations,
    operation_id: OperationId,
    now: int,
) -> Member:
    """The member; the same authorizer and salt are the same member, who is enrolled once."""
    member = new_member(coalition.coalition_id, kind, authorizer, salt)
    known = members.find(member.member_id)
    if known is not None:
        return known
    operations.accept(EnrollOperation(operation_id, member.member_id, kind, authorizer, salt), now)
    members.add(member, operation_id, now)
    return member
