"""Relay what a member's authorizers or guardian signed, and carry out what waited; refused already where the ledger would refuse it."""

from __future__ import annotations

from gateway.coalition.coalition import Coalition
from gateway.ledger.member_acts import MemberAct
from gateway.ledger.model_member_acts import MemberActRefused, MemberRules
from gateway.ledger.passkeys import verify_passkey
from gateway.ledger.proofs import Proofs
from gateway.ledger.recover import recover_address
from gateway.ledger.state import MemberRecord
from gateway.members.act_refusals import MEMBER_ACT_REFUSALS
from gateway.rounds.member_operation import ExecuteMemberActOperation, MemberActOperation
from gateway.rounds.ports import Operations
from gateway.values.errors import NotFound, WrongState
from gateway.values.ids import Address, Hash, MemberId, OperationId

_NOBODY = Address(bytes(20))  # who the operator is the ledger alone knows: a guardian that it is, is refused there


def relay_act(
    act: MemberAct,
    kind: int,
    proof: bytes,
    record: MemberRecord,
    *,
    coalition: Coalition,
    operations: Operations,
    operation_id: OperationId,
    now: int,
) -> None:
    """`record` is the member as the ledger has it, the caller's to change: one act is foreseen, and it is forgotten."""
    try:
        _rules(coalition).apply(record, act, kind, proof, now)
    except MemberActRefused as refused:
        raise _refusal(refused) from refused
    operations.accept(MemberActOperation(operation_id, act.member, act, kind, proof), now)


def execute_act(
    act_id: Hash,
    member: MemberId,
    record: MemberRecord,
    *,
    coalition: Coalition,
    operations: Operations,
    operation_id: OperationId,
    now: int,
) -> None:
    """Anybody's to ask for once the delay is over."""
    waiting = record.pending.get(act_id)
    if waiting is None:
        raise NotFound(f"no act {act_id} of member {member} waits: read the member's standing for those that do")
    act = waiting.act
    try:
        _rules(coalition).execute(record, act, now)
    except MemberActRefused as refused:
        raise _refusal(refused) from refused
    operations.accept(ExecuteMemberActOperation(operation_id, member, act), now)


def _rules(coalition: Coalition) -> MemberRules:
    return MemberRules(coalition.members_domain, Proofs(recover_address, verify_passkey), 0, _NOBODY)


def _refusal(refused: MemberActRefused) -> WrongState:
    return WrongState(MEMBER_ACT_REFUSALS[refused.reason], reason=refused.reason)
