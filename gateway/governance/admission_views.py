"""What a coalition asks of whoever joins, and what approvers signed of it when a brand was let in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.coalition.tables import AdmissionChecklistRow, AdmissionCriteriaRow, GovernanceActRow
from gateway.ledger.admission import AdmissionCriteria, Checklist
from gateway.rounds.operation import OperationKind
from gateway.rounds.tables import OperationRow
from gateway.values.hex import hex_text


@dataclass(frozen=True, slots=True)
class CriterionView:
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class AdmissionCriteriaView:
    """Version 0 is a coalition that never set any; an empty list asks for nothing."""

    version: int
    criteria: list[CriterionView]
    criteria_hash: str
    set_at: int | None


@dataclass(frozen=True, slots=True)
class AnsweredCriterionView:
    """`answer` is `met` or `not_applicable`."""

    name: str
    text: str
    answer: str
    note: str


@dataclass(frozen=True, slots=True)
class AdmissionChecklistView:
    """All that its signature is over: `AdmissionChecklist(bytes32 operation,bytes32 criteria,bytes32 answers,uint40 approvedAt)`."""

    operation_id: str
    act_id: str
    approver: str
    approved_at: int
    version: int
    criteria_hash: str
    answers: list[AnsweredCriterionView]
    signature: str


def admission_criteria_view(session: Session, version: int | None = None) -> AdmissionCriteriaView | None:
    """Those in force, or of a version; None where that was never set."""
    which = select(AdmissionCriteriaRow) if version is None else select(AdmissionCriteriaRow).where(AdmissionCriteriaRow.version == version)
    row = session.scalar(which.order_by(AdmissionCriteriaRow.version.desc()).limit(1))
    if row is None and version:
        return None
    found = AdmissionCriteria() if row is None else AdmissionCriteria.of_text(row.version, row.criteria)
    told = [CriterionView(each.name, each.text) for each in found.criteria]
    return AdmissionCriteriaView(found.version, told, str(found.hash), None if row is None else row.set_at)


def brand_checklists(session: Session, brand_id: int) -> list[AdmissionChecklistView]:
    """In the order in which they were signed."""
    of_brand = (
        select(AdmissionChecklistRow, AdmissionCriteriaRow, GovernanceActRow, OperationRow.operation_id)
        .join(AdmissionCriteriaRow, AdmissionCriteriaRow.version == AdmissionChecklistRow.criteria_version)
        .join(GovernanceActRow, GovernanceActRow.operation_sequence == AdmissionChecklistRow.operation_sequence)
        .join(OperationRow, OperationRow.sequence == GovernanceActRow.operation_sequence)
        .where(OperationRow.brand_id == brand_id, OperationRow.kind == OperationKind.REGISTER_BRAND)
        .order_by(AdmissionChecklistRow.approved_at, AdmissionChecklistRow.approver)
    )
    return [_checklist_view(*row) for row in session.execute(of_brand)]


def _checklist_view(
    signed: AdmissionChecklistRow, row: AdmissionCriteriaRow, act: GovernanceActRow, operation_id: str
) -> AdmissionChecklistView:
    criteria = AdmissionCriteria.of_text(row.version, row.criteria)
    texts = {each.name: each.text for each in criteria.criteria}
    answers = [
        AnsweredCriterionView(each.criterion, texts[each.criterion], each.answer, each.note)
        for each in Checklist.of_text(row.version, signed.answers).answers
    ]
    at = str(signed.approver), signed.approved_at, criteria.version, str(criteria.hash)
    return AdmissionChecklistView(operation_id, str(act.act_id), *at, answers, hex_text(signed.signature))
