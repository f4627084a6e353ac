"""Reconciliations: a brand's purchases, payment records and points entries up to a cut-off date, and the breaks between them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from gateway.access.api_key import Role
from gateway.access.rows import SqlRequests
from gateway.api.context import Context, ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsOperatorOrBrand, AsReader, check_reads_brand
from gateway.api.problems import READS, WRITES
from gateway.api.reconciliation_facts import gathered_facts
from gateway.api.routing import Router
from gateway.api.shapes import Body, Cursor, Date, Limit
from gateway.brands.rows import SqlBrands
from gateway.reconciliation.breaks import BreakKind
from gateway.reconciliation.reconcile import BrandReconciled, keep_reconciliation, reconcile_brand
from gateway.reconciliation.rows import SqlReconciliations
from gateway.reconciliation.views import KeptReconciliation, find_reconciliation, list_breaks, list_payouts
from gateway.store.pages import cursor_after, position_of
from gateway.store.unit_of_work import UnitOfWork, new_id
from gateway.values.errors import Invalid, NotFound

router = Router(prefix="/v1/reconciliations", tags=["reconciliation"])
ReconciliationIdPath = Annotated[str, Path(min_length=1, max_length=64)]


class ReconciliationBody(Body):
    """`brand_id` is only for the operator, who must name a brand."""

    cut_off_date: Date
    brand_id: Annotated[int, Field(strict=True, ge=1, lt=2**31)] | None = None


class ReconciliationView(BaseModel):
    """`at_block`: the ledger's head that was looked at. `summary`: counts of records, matches, breaks by kind, payouts, and
    what points were given by other brands' evidence (`by_evidence`), for which no money is expected."""

    reconciliation_id: str
    brand_id: int
    cut_off_date: date
    at_block: int
    created_at: int
    summary: dict[str, object]


class BreakView(BaseModel):
    """A named disagreement. Amounts are signed minor units; the age is counted in days to the cut-off."""

    break_number: int
    kind: BreakKind
    payment_id: str | None
    payment_record_id: int | None
    provider_record_id: str | None
    expected_minor: int | None
    found_minor: int | None
    age_days: int
    detail: str


class BreaksPage(BaseModel):
    breaks: list[BreakView]
    next_cursor: str | None


class PayoutView(BaseModel):
    """payout = charges + refunds + fees + other + remainder, in minor units."""

    provider: str
    payout_id: str
    currency: str
    payout_minor: int
    charges_minor: int
    refunds_minor: int
    fees_minor: int
    other_minor: int
    remainder_minor: int
    remainder_label: str
    record_count: int


@router.post("", status_code=201, responses=WRITES)
def create_reconciliation(body: ReconciliationBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> ReconciliationView:
    """Reconciles everything known up to the cut-off; records after it are left for the next one."""
    brand_id = _brand_id(body, caller)
    with write.context.reading() as work:
        if work.of(SqlBrands).find(brand_id) is None:
            raise NotFound(f"there is no brand {brand_id}", field="brand_id")
        earlier = work.of(SqlRequests).find(caller.principal, write.idempotency_key)
    found = None if earlier is not None else _reconciled(write.context, brand_id, body.cut_off_date)

    def act(work: UnitOfWork) -> str:
        item = found or reconcile_brand(brand_id, body.cut_off_date, facts=gathered_facts(work))
        reconciliation_id = new_id()
        keep_reconciliation(item, reconciliations=work.of(SqlReconciliations), reconciliation_id=reconciliation_id, now=work.now)
        return reconciliation_id

    reconciliation_id = write.once(caller, "reconciliation", body.content(), act)
    if "Idempotent-Replayed" in write.response.headers:
        write.response.status_code = 200
    return _view(_find(write.context, caller, reconciliation_id))


@router.get("/{reconciliation_id}", responses=READS)
def get_reconciliation(reconciliation_id: ReconciliationIdPath, caller: AsReader, context: ContextNeeded) -> ReconciliationView:
    """A reconciliation's figures."""
    return _view(_find(context, caller, reconciliation_id))


@router.get("/{reconciliation_id}/breaks", responses=READS)
def get_breaks(
    reconciliation_id: ReconciliationIdPath,
    caller: AsReader,
    context: ContextNeeded,
    kind: BreakKind | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> BreaksPage:
    """Its breaks, page by page."""
    _find(context, caller, reconciliation_id)
    with context.reading() as work:
        found = list_breaks(work.session, reconciliation_id, kind=kind, after=position_of(cursor) or 0, limit=limit)
    views = [BreakView.model_validate({"break_number": one.break_number} | asdict(one.found)) for one in found]
    return BreaksPage(breaks=views, next_cursor=cursor_after(found[-1].break_number) if len(found) == limit else None)


@router.get("/{reconciliation_id}/payouts", responses=READS)
def get_payouts(
    reconciliation_id: ReconciliationIdPath, caller: AsReader, context: ContextNeeded, with_remainder: bool = False
) -> list[PayoutView]:
    """Every payout, rebuilt from named parts and one labelled remainder."""
    _find(context, caller, reconciliation_id)
    with context.reading() as work:
        found = list_payouts(work.session, reconciliation_id, with_remainder=with_remainder)
    return [PayoutView.model_validate(asdict(one)) for one in found]


def _brand_id(body: ReconciliationBody, caller: AsOperatorOrBrand) -> int:
    brand_id = body.brand_id if caller.role is Role.OPERATOR else caller.brand_id
    if brand_id is None:
        raise Invalid("the operator names the brand to reconcile", field="brand_id")
    if body.brand_id not in (None, brand_id):
        raise NotFound("there is no such brand of yours", field="brand_id")
    return brand_id


def _reconciled(context: Context, brand_id: int, cut_off: date) -> BrandReconciled:
    with context.reading() as work:
        return reconcile_brand(brand_id, cut_off, facts=gathered_facts(work))


def _find(context: Context, caller: AsReader, reconciliation_id: str) -> KeptReconciliation:
    with context.reading() as work:
        found = find_reconciliation(work.session, reconciliation_id)
    if found is None:
        raise NotFound("there is no such reconciliation")
    check_reads_brand(caller, found.brand_id)
    return found


def _view(found: KeptReconciliation) -> ReconciliationView:
    return ReconciliationView.model_validate(asdict(found))
