"""Invariant 11: whoever approved a brand's registration while the coalition had admission criteria signed for each of them."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.audit.case import Case
from gateway.audit.evidence import Evidence
from gateway.audit.ledger_events import ActApproved, ActScheduled
from gateway.coalition.tables import AdmissionChecklistRow, AdmissionCriteriaRow
from gateway.ledger.admission import AdmissionCriteria, Checklist
from gateway.ledger.recover import recover_address
from gateway.ledger.signing import Domain
from gateway.rounds.operation import OperationKind
from gateway.values.ids import Hash

_DAMAGED = (ValueError, KeyError, TypeError)


def findings(case: Case) -> Iterator[str]:
    yield from _signatures(case.evidence)
    yield from _unsigned(case.evidence)


def _signatures(evidence: Evidence) -> Iterator[str]:
    """Each recomputed over the criteria of its version."""
    store = evidence.store
    coalition = store.coalition
    domain = Domain(coalition.chain_id, coalition.governance_address, coalition.coalition_id)
    acts = {act.operation_sequence: act.act_id for act in store.governance_acts}
    criteria = {row.version: _criteria_of(row) for row in store.admission_criteria}
    for row in store.admission_checklists:
        act, answered = acts.get(row.operation_sequence), criteria.get(row.criteria_version, AdmissionCriteria())
        if act is None or not _is_good(row, domain, act, answered):
            yield f"the checklist of act {act} is not signed by approver {row.approver}, or not over what the criteria say"


def _is_good(row: AdmissionChecklistRow, domain: Domain, act: Hash, criteria: AdmissionCriteria) -> bool:
    try:
        checklist = Checklist.of_text(row.criteria_version, row.answers)
    except _DAMAGED:
        return False
    is_whole = not checklist.missing(criteria) and not checklist.strange(criteria)
    return is_whole and recover_address(checklist.digest(domain, act, criteria, row.approved_at), row.signature) == row.approver


def _unsigned(evidence: Evidence) -> Iterator[str]:
    """Of approvals by which a registration was executed: there were criteria from its proposal until the approver signed."""
    store, chain = evidence.store, evidence.chain
    brands = {row.sequence: row.brand_id for row in store.operations if row.kind == OperationKind.REGISTER_BRAND}
    registered = {act.act_id: act.operation_sequence for act in store.governance_acts if act.operation_sequence in brands}
    signed = {(row.operation_sequence, row.approver, row.approved_at) for row in store.admission_checklists}
    proposed: dict[Hash, int] = {}
    for logged in chain.events:
        match logged.event:
            case ActScheduled(act, _):
                proposed[act] = chain.timestamps[logged.block_number]
            case ActApproved(act, approver, approved_at) if act in registered and act in proposed:
                sequence = registered[act]
                if (sequence, approver, approved_at) not in signed and _had_criteria(evidence, proposed[act], approved_at):
                    yield f"approver {approver} let brand {brands[sequence]} in without a checklist of the admission criteria"


def _had_criteria(evidence: Evidence, since: int, until: int) -> bool:
    """Throughout: what was in force at first, and whatever came meanwhile."""
    versions = sorted(evidence.store.admission_criteria, key=lambda row: row.version)
    at_first = [row for row in versions if row.set_at <= since][-1:]
    meanwhile = [row for row in versions if since < row.set_at <= until]
    return bool(at_first) and all(_criteria_of(row).criteria for row in (*at_first, *meanwhile))


def _criteria_of(row: AdmissionCriteriaRow) -> AdmissionCriteria:
    """A damaged row asks for nothing, and nothing signed for it is good."""
    try:
        return AdmissionCriteria.of_text(row.version, row.criteria)
    except _DAMAGED:
        return AdmissionCriteria()
