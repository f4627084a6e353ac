"""An operation that nobody signed is tried again under its own id and reference."""

from __future__ import annotations

from gateway.rounds.operation import GIVING_KINDS, OperationKind, OperationStatus, StoredOperation
from gateway.rounds.ports import Operations, WrittenOff
from gateway.values.errors import WrongState

_UNSIGNED = ("signer_refused: ", "batch_expired")
_OF_THE_BOOKS = (OperationKind.CAPTURE, OperationKind.VOID, OperationKind.POINT_REFUND, OperationKind.RESTORE, OperationKind.EXTEND)
_RETRIED = (*GIVING_KINDS, *_OF_THE_BOOKS, OperationKind.CLAWBACK)


def retry_operation(stored: StoredOperation, *, operations: Operations, written_off: WrittenOff) -> None:
    """Refuses what has not ended, what a block or the ledger refused, and what somebody waited for: those ask anew.

    A clawback's points were written off when it was refused, and are due again, unless something else became of them meanwhile.
    """
    operation_id, kind = stored.operation.operation_id, stored.kind
    if stored.status is not OperationStatus.REFUSED:
        raise WrongState(f"operation {operation_id} is {stored.status}: only what was refused is tried again", status=str(stored.status))
    if not (stored.reason or "").startswith(_UNSIGNED):
        raise WrongState(f"operation {operation_id} was refused by the ledger ({stored.reason}), which another try would not change")
    if kind not in _RETRIED:
        raise WrongState(f"a {kind} is not tried again: what was not done has been settled otherwise, or is asked for anew", kind=str(kind))
    if kind is OperationKind.CLAWBACK and not written_off.due_again(operation_id):
        raise WrongState("what was not clawed back is taken from later points, or its refund failed", kind=str(kind))
    if not operations.retry(operation_id):
        raise WrongState(f"operation {operation_id} is tried again already", status=str(OperationStatus.ACCEPTED))
