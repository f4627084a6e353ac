"""Who governs, and how slowly: proposals of other approvers, another guardian or operator, another delay, and another pause."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from gateway.access.api_key import Caller
from gateway.access.rows import SqlPrivilegedActions
from gateway.api.brands import show_operation
from gateway.api.idempotency import Write, WriteNeeded
from gateway.api.permissions import AsOperator
from gateway.api.problems import WRITES
from gateway.api.routing import Router
from gateway.api.shapes import AddressText, Body, Whole
from gateway.coalition.coalition import Coalition
from gateway.coalition.rows import SqlCoalition
from gateway.governance.propose_act import (
    APPROVERS_MAX,
    rearm_pause,
    replace_guardian,
    replace_operator,
    set_approvers,
    update_delay,
)
from gateway.rounds.rows import SqlOperations
from gateway.rounds.views import OperationView
from gateway.store.unit_of_work import UnitOfWork, new_operation_id
from gateway.values.ids import Address

router = Router(prefix="/v1/governance", tags=["governance"])


class ApproversBody(Body):
    approvers: Annotated[list[AddressText], Field(min_length=1, max_length=APPROVERS_MAX)]
    approvals_needed: Annotated[int, Field(strict=True, ge=1, le=APPROVERS_MAX)]


class GovernorBody(Body):
    account: AddressText


class DelayBody(Body):
    delay_seconds: Whole


class PauseBody(Body):
    """Nothing: the guardian may pause once more."""


@router.post("/approvers", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def propose_approvers(body: ApproversBody, caller: AsOperator, write: WriteNeeded) -> OperationView:
    """Proposes other approvers, and how many of them an act needs."""
    approvers = list(map(Address.parse, body.approvers))
    return _propose(write, caller, "set_approvers", body, lambda work, given: set_approvers(approvers, body.approvals_needed, **given))


@router.post("/guardian", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def propose_guardian(body: GovernorBody, caller: AsOperator, write: WriteNeeded) -> OperationView:
    """Proposes another guardian: it waits three delays, and the present one cannot stop it."""
    account = Address.parse(body.account)
    return _propose(
        write,
        caller,
        "replace_guardian",
        body,
        lambda work, given: replace_guardian(account, coalition=work.of(SqlCoalition).facts, **given),
    )


@router.post("/operator", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def propose_operator(body: GovernorBody, caller: AsOperator, write: WriteNeeded) -> OperationView:
    """Proposes another operator's account, which then proposes in place of this gateway's."""
    account = Address.parse(body.account)
    return _propose(
        write,
        caller,
        "replace_operator",
        body,
        lambda work, given: replace_operator(account, coalition=work.of(SqlCoalition).facts, **given),
    )


@router.post("/delay", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def propose_delay(body: DelayBody, caller: AsOperator, write: WriteNeeded) -> OperationView:
    """Proposes another delay, for acts proposed from then on."""
    seconds = body.delay_seconds
    return _propose(write, caller, "update_delay", body, lambda work, given: update_delay(seconds, coalition=_facts(work), **given))


@router.post("/pause-rearming", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def propose_pause_rearming(body: PauseBody, caller: AsOperator, write: WriteNeeded) -> OperationView:
    """Proposes that the guardian may pause once more."""
    return _propose(write, caller, "rearm_pause", body, lambda work, given: rearm_pause(**given))


def _propose(write: Write, caller: Caller, action: str, body: Body, propose: Any) -> OperationView:
    def act(work: UnitOfWork) -> str:
        operation_id = new_operation_id()
        propose(work, {"operations": work.of(SqlOperations), "operation_id": operation_id, "now": work.now})
        principal = f"{caller.principal}/{caller.key_id}"
        work.of(SqlPrivilegedActions).record(work.now, principal, action, "governance", body.model_dump_json()[:1_000])
        return operation_id

    return show_operation(write, write.once(caller, "operation", body.content(), act))


def _facts(work: UnitOfWork) -> Coalition:
    return work.of(SqlCoalition).facts
