"""The audit over HTTP: the same checks as `splittally audit`, one run at a time."""

from __future__ import annotations

import threading
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel

from gateway.access.api_key import Caller, Role
from gateway.api.context import ContextNeeded
from gateway.api.permissions import permit
from gateway.api.problems import READS
from gateway.api.routing import Router
from gateway.audit.invariants import NUMBERS
from gateway.audit.run import audit
from gateway.values.errors import Invalid, Unavailable

router = Router(prefix="/v1/audit", tags=["audit"])
AsAuditor = Annotated[Caller, Depends(permit(Role.OPERATOR, Role.AUDITOR))]
_one_at_a_time = threading.Lock()


class AuditedBlockView(BaseModel):
    number: int
    hash: str


class AuditView(BaseModel):
    """`invariants` by number: `ok` or what fails; `findings` holds the first of each, `findings_total` counts them all."""

    block: AuditedBlockView
    entries: int
    batches: int
    holdings: int
    invariants: dict[str, str]
    findings: dict[str, list[str]]
    findings_total: dict[str, int]
    not_yet: dict[str, str]
    failed: list[int]


@router.get("", responses=READS)
def get_audit(
    _caller: AsAuditor, context: ContextNeeded, invariant: Annotated[list[int] | None, Query(max_length=len(NUMBERS))] = None
) -> AuditView:
    """Checks the numbered invariants on live data: seconds for tens of thousands of entries."""
    unknown = set(invariant or ()) - set(NUMBERS)
    if unknown:
        raise Invalid(f"there is no invariant {min(unknown)}", field="invariant")
    if context.chain is None:
        raise Unavailable("this gateway has no node to audit")
    if not _one_at_a_time.acquire(blocking=False):
        raise Unavailable("an audit is running; ask again when it is done")
    try:
        report = audit(context.database, context.chain, context.clock, numbers=invariant or NUMBERS)
    finally:
        _one_at_a_time.release()
    return AuditView.model_validate(report.as_json())
