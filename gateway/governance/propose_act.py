"""Propose who governs and how slowly: acts of governance on itself, which wait for approvals like any other."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.coalition.coalition import Coalition
from gateway.ledger.governing import (
    RearmPauseOperation,
    ReplaceGuardianOperation,
    ReplaceOperatorOperation,
    SetApproversOperation,
    UpdateDelayOperation,
)
from gateway.rounds.ports import Operations
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.errors import Invalid
from gateway.values.ids import Address, OperationId

APPROVERS_MAX = 32
LONGEST_DELAY_SECONDS = 30 * SECONDS_PER_DAY


def set_approvers(approvers: Sequence[Address], needed: int, *, operations: Operations, operation_id: OperationId, now: int) -> None:
    """Other approvers, and how many of them an act needs."""
    distinct = sorted(set(approvers))
    if len(distinct) != len(approvers) or not 1 <= len(distinct) <= APPROVERS_MAX:
        raise Invalid(f"name from 1 to {APPROVERS_MAX} approvers, each once", field="approvers")
    if not 1 <= needed <= len(distinct):
        raise Invalid("approvals_needed must be from 1 to the number of approvers", field="approvals_needed")
    operations.accept(SetApproversOperation(operation_id, tuple(distinct), needed), now)


def replace_guardian(account: Address, *, coalition: Coalition, operations: Operations, operation_id: OperationId, now: int) -> None:
    """Waits three delays, and no guardian can stop it."""
    _check_has_no_role(account, coalition)
    operations.accept(ReplaceGuardianOperation(operation_id, account), now)


def replace_operator(account: Address, *, coalition: Coalition, operations: Operations, operation_id: OperationId, now: int) -> None:
    """Once it is executed, this gateway's account proposes nothing more."""
    _check_has_no_role(account, coalition)
    operations.accept(ReplaceOperatorOperation(operation_id, account), now)


def update_delay(seconds: int, *, coalition: Coalition, operations: Operations, operation_id: OperationId, now: int) -> None:
    """For acts proposed once it is executed."""
    shortest = 0 if coalition.sandbox else SECONDS_PER_DAY
    if not shortest <= seconds <= LONGEST_DELAY_SECONDS:
        raise Invalid(f"delay_seconds must be from {shortest} to {LONGEST_DELAY_SECONDS}", field="delay_seconds")
    operations.accept(UpdateDelayOperation(operation_id, seconds), now)


def rearm_pause(*, operations: Operations, operation_id: OperationId, now: int) -> None:
    """The guardian may pause once more."""
    operations.accept(RearmPauseOperation(operation_id), now)


def _check_has_no_role(account: Address, coalition: Coalition) -> None:
    if account in coalition.approvers or account == coalition.guardian:
        raise Invalid(f"{account} is an approver or the guardian: nobody has two roles; name another account", field="account")
