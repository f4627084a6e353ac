"""Acts that wait, the approvals given so far, and what a brand must meet before it is let in."""

from __future__ import annotations

from sqlalchemy import insert, select

from gateway.coalition.tables import AdmissionChecklistRow, AdmissionCriteriaRow, GovernanceActRow, GovernanceApprovalRow
from gateway.governance.ports import PendingAct
from gateway.ledger.admission import AdmissionCriteria, SignedChecklist
from gateway.ledger.governance import Approval
from gateway.projection.tables import LedgerBrandRow
from gateway.rounds.governance_acts import PROPOSED, ready_at
from gateway.rounds.operation import OperationKind
from gateway.rounds.tables import OperationRow
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.ids import Address, OperationId


class SqlPendingActs:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def find(self, operation_id: OperationId) -> PendingAct | None:
        found = self._session.execute(
            select(GovernanceActRow, OperationRow)
            .join(OperationRow, OperationRow.sequence == GovernanceActRow.operation_sequence)
            .where(OperationRow.operation_id == operation_id, OperationRow.status == PROPOSED)
        ).one_or_none()
        if found is None:
            return None
        act, operation = found
        shown = act.act_id, ready_at(self._session, act), act.target, act.data, act.salt
        is_registration = operation.kind == OperationKind.REGISTER_BRAND
        return PendingAct(act.operation_sequence, *shown, self._replaces_owner_of(operation), is_registration)

    def _replaces_owner_of(self, operation: OperationRow) -> tuple[int, Address | None] | None:
        if operation.kind != OperationKind.SET_BRAND_OWNER or operation.brand_id is None:
            return None
        brand = self._session.get(LedgerBrandRow, operation.brand_id)
        return operation.brand_id, None if brand is None else brand.owner_address

    def approve(self, act: PendingAct, approver: Address, given: Approval, checklist: SignedChecklist | None) -> None:
        signed = {"approved_at": given.approved_at, "good_until": given.good_until, "signature": given.signature}
        self._session.merge(GovernanceApprovalRow(operation_sequence=act.sequence, approver=approver, **signed))
        if checklist is not None:
            answered = {"criteria_version": checklist.checklist.version, "answers": checklist.checklist.answers_text()}
            of = {"operation_sequence": act.sequence, "approver": approver, "approved_at": given.approved_at}
            self._session.merge(AdmissionChecklistRow(**of, **answered, signature=checklist.signature))


class SqlCriteria:
    """Versions are added, never changed: what was signed names its own."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def in_force(self) -> AdmissionCriteria:
        row = self._session.scalar(select(AdmissionCriteriaRow).order_by(AdmissionCriteriaRow.version.desc()).limit(1))
        return AdmissionCriteria() if row is None else AdmissionCriteria.of_text(row.version, row.criteria)

    def add(self, criteria: AdmissionCriteria, now: int) -> None:
        self._session.execute(insert(AdmissionCriteriaRow).values(version=criteria.version, criteria=criteria.text(), set_at=now))
