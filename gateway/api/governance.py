"""Acts of governance that wait: what the operator proposed, from when it may be approved, and the approvers' signatures over it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from gateway.access.rows import SqlPrivilegedActions
from gateway.api.admission import ChecklistBody
from gateway.api.brands import show_operation
from gateway.api.context import ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsReader
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import Body, OperationIdPath, Signature, UnixSeconds
from gateway.coalition.rows import SqlCoalition
from gateway.governance.approve_act import approve_act
from gateway.governance.rows import SqlCriteria, SqlPendingActs
from gateway.governance.veto_act import veto_act
from gateway.governance.views import PendingActView, list_pending_acts
from gateway.ledger.governance import Approval
from gateway.rounds.rows import SqlOperations
from gateway.rounds.views import OperationView
from gateway.store.unit_of_work import UnitOfWork, new_operation_id
from gateway.values.hex import to_bytes
from gateway.values.ids import OperationId

router = Router(prefix="/v1/governance", tags=["governance"])


class ApprovalBody(Body):
    """`Approval(bytes32 operation,uint40 approvedAt,uint40 goodUntil)` in governance's own domain, `operation` being the act's id.
    `approved_at` is the approver's own clock: sign once the delay has passed by it, having asked the brand concerned directly. The
    registration of a brand is approved with a `checklist`, where the coalition has admission criteria."""

    approved_at: UnixSeconds
    good_until: UnixSeconds
    signature: Signature
    checklist: ChecklistBody | None = None

    def content(self) -> dict[str, Any]:
        """The checklist came later: requests without one keep their hash."""
        return {name: value for name, value in super().content().items() if name != "checklist" or value is not None}


class OwnerVetoBody(Body):
    """`Veto(bytes32 operation,uint32 brand)` in governance's own domain, `operation` being the id of the act that replaces the owner."""

    signature: Signature


class PendingActList(BaseModel):
    acts: list[PendingActView]


@router.get("/acts", responses=READS)
def get_pending_acts(_caller: AsReader, context: ContextNeeded) -> PendingActList:
    """Acts that were proposed and are not executed yet, in the order of their proposal."""
    with context.reading() as work:
        return PendingActList(acts=list_pending_acts(work.session))


@router.post("/acts/{operation_id}/approvals", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def create_approval(operation_id: OperationIdPath, body: ApprovalBody, caller: AsReader, write: WriteNeeded) -> OperationView:
    """An approver's signature, whoever sends it; with the last that is needed the act is executed."""
    given = Approval(body.approved_at, body.good_until, to_bytes(body.signature))
    checklist = None if body.checklist is None else body.checklist.signed()

    def act(work: UnitOfWork) -> str:
        facts, acts = work.of(SqlCoalition).facts, work.of(SqlPendingActs)
        criteria = work.of(SqlCriteria)
        approver = approve_act(OperationId(operation_id), given, checklist, coalition=facts, acts=acts, criteria=criteria, now=work.now)
        work.of(SqlPrivilegedActions).record(work.now, f"{caller.principal}/{caller.key_id}", "approve", operation_id, str(approver))
        return operation_id

    return show_operation(write, write.once(caller, "operation", {**body.content(), "act": operation_id}, act))


@router.post("/acts/{operation_id}/veto", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def create_owner_veto(operation_id: OperationIdPath, body: OwnerVetoBody, caller: AsReader, write: WriteNeeded) -> OperationView:
    """The veto of the brand's owner against the owner's own replacement, whoever sends it; it is relayed to the ledger."""

    def act(work: UnitOfWork) -> str:
        made = new_operation_id()
        owner = veto_act(
            OperationId(operation_id),
            to_bytes(body.signature),
            coalition=work.of(SqlCoalition).facts,
            acts=work.of(SqlPendingActs),
            operations=work.of(SqlOperations),
            operation_id=made,
            now=work.now,
        )
        work.of(SqlPrivilegedActions).record(work.now, f"{caller.principal}/{caller.key_id}", "veto", operation_id, str(owner))
        return made

    return show_operation(write, write.once(caller, "operation", {**body.content(), "act": operation_id}, act))
