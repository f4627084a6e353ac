"""Operations by which the operator's account relays what members signed, and carries out what waited."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.member_acts import DelayedAct, MemberAct
from gateway.values.ids import MemberId, OperationId


@dataclass(frozen=True, slots=True)
class MemberActOperation:
    """What a member's authorizer or guardian signed; anyone may relay it."""

    operation_id: OperationId
    member_id: MemberId
    act: MemberAct
    proof_kind: int
    proof: bytes


@dataclass(frozen=True, slots=True)
class ExecuteMemberActOperation:
    """An act whose delay is over; anyone may carry it out."""

    operation_id: OperationId
    member_id: MemberId
    act: DelayedAct
