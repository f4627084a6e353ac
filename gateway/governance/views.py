"""What approvers see of the acts that wait."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.coalition.tables import GovernanceActRow
from gateway.rounds.governance_acts import PROPOSED, approvals_of, ready_at
from gateway.rounds.tables import OperationRow
from gateway.values.hex import hex_text


@dataclass(frozen=True, slots=True)
class PendingActView:
    """`data` is the call of `target`. `ready_at` is empty until the proposal is on the chain."""

    operation_id: str
    kind: str
    brand_id: int | None
    act_id: str
    target: str
    data: str
    ready_at: int | None
    approvers: list[str]


def list_pending_acts(session: Session) -> list[PendingActView]:
    """In the order of their proposal, with who approved so far."""
    pending = (
        select(GovernanceActRow, OperationRow)
        .join(OperationRow, OperationRow.sequence == GovernanceActRow.operation_sequence)
        .where(OperationRow.status == PROPOSED)
    )
    return [
        PendingActView(
            operation.operation_id,
            operation.kind,
            operation.brand_id,
            str(act.act_id),
            str(act.target),
            hex_text(act.data),
            ready_at(session, act),
            [str(each.approver) for each in approvals_of(session, act)],
        )
        for act, operation in session.execute(pending.order_by(GovernanceActRow.operation_sequence))
    ]
