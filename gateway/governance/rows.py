"""Acts that wait and the approvals given so far."""

from __future__ import annotations

from sqlalchemy import select

from gateway.coalition.tables import GovernanceActRow, GovernanceApprovalRow
from gateway.governance.ports import PendingAct
from gateway.ledger.governance import Approval
from gateway.rounds.governance_acts import PROPOSED, ready_at
from gateway.rounds.tables import OperationRow
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.ids import Address, OperationId


class SqlPendingActs:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def find(self, operation_id: OperationId) -> PendingAct | None:
        row = self._session.scalars(
            select(GovernanceActRow)
            .join(OperationRow, OperationRow.sequence == GovernanceActRow.operation_sequence)
            .where(OperationRow.operation_id == operation_id, OperationRow.status == PROPOSED)
        ).one_or_none()
        return None if row is None else PendingAct(row.operation_sequence, row.act_id, ready_at(self._session, row))

    def approve(self, act: PendingAct, approver: Address, given: Approval) -> None:
        signed = {"approved_at": given.approved_at, "good_until": given.good_until, "signature": given.signature}
        self._session.merge(GovernanceApprovalRow(operation_sequence=act.sequence, approver=approver, **signed))
