"""Enroll a member: a pseudonym with its first authorizer. Anyone may relay it, the id commits to the authorizer."""

from __future__ import annotations

from gateway.coalition.coalition import Coalition
from gateway.members.member import Member, new_member
from gateway.members.ports import Members
from gateway.rounds.operation import NewOperation, OperationKind
from gateway.rounds.ports import Operations


def enroll_member(
    kind: int,
    authorizer: bytes,
    salt: bytes,
    *,
    coalition: Coalition,
    members: Members,
    operations: Operations,
    operation_id: str,
    now: int,
) -> Member:
    """The member; the same authorizer and salt are the same member, who is enrolled once."""
    member = new_member(coalition.coalition_id, kind, authorizer, salt)
    known = members.find(member.member_id)
    if known is not None:
        return known
    body = {"member_id": member.member_id, "kind": kind, "authorizer": member.authorizer, "salt": member.salt}
    operations.accept(NewOperation(operation_id, OperationKind.ENROLL, body, member_id=member.member_id), now)
    members.add(member, operation_id, now)
    return member
