"""Approve an act of governance that waits: an approver's signature over it, whoever brings it; a brand's registration with a checklist."""

from __future__ import annotations

from gateway.coalition.coalition import Coalition
from gateway.governance.check_checklist import Signing, check_checklist
from gateway.governance.ports import Criteria, PendingActs
from gateway.ledger.admission import SignedChecklist
from gateway.ledger.governance import Approval, approval_digest
from gateway.ledger.recover import recover_address
from gateway.values.calendar import it_is, moment_in_words
from gateway.values.errors import Invalid, NotFound, WrongState
from gateway.values.ids import Address, OperationId


def approve_act(
    operation_id: OperationId,
    given: Approval,
    checklist: SignedChecklist | None,
    *,
    coalition: Coalition,
    acts: PendingActs,
    criteria: Criteria,
    now: int,
) -> Address:
    """The approver. A later approval of the same approver stands instead of an earlier one."""
    act = acts.find(operation_id)
    if act is None:
        raise NotFound(f"no act of governance with the operation id {operation_id} waits for approvals", operation_id=operation_id)
    if act.ready_at is None or given.approved_at < act.ready_at:
        ready = None if act.ready_at is None else moment_in_words(act.ready_at)
        when = "once it is proposed on the ledger and its delay has passed" if ready is None else f"at {ready} or later"
        raise WrongState(f"this act is not ready: approve it {when}, by your own clock", ready_at=ready)
    if given.good_until <= now:
        raise Invalid(f"good_until has passed, {it_is(now)}: sign an approval that is good for some days", field="good_until")
    digest = approval_digest(coalition.governance_domain, act.act_id, given.approved_at, given.good_until)
    approver = recover_address(digest, given.signature)
    if approver is None or approver not in coalition.approvers:
        raise Invalid("the signature is by none of the approvers: sign this act's approval with an approver's key", field="signature")
    if act.is_registration:
        signs = Signing(coalition.governance_domain, act.act_id, approver, given.approved_at)
        check_checklist(checklist, criteria.in_force(), signs)
    elif checklist is not None:
        raise Invalid("a checklist belongs to the registration of a brand, which this act is not: approve it without", field="checklist")
    acts.approve(act, approver, given, checklist)
    return approver
