"""What a brand must meet before it is let in: set by the operator, signed by approvers with a brand's registration, shown to the brand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from gateway.access.rows import SqlPrivilegedActions
from gateway.api.brands import the_brand
from gateway.api.context import ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsOperator, AsReader, check_reads_brand
from gateway.api.problems import OPEN_READS, READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import Body, BrandIdPath, Digits, Positive, Signature
from gateway.governance.admission_views import AdmissionChecklistView, AdmissionCriteriaView, admission_criteria_view, brand_checklists
from gateway.governance.rows import SqlCriteria
from gateway.governance.set_criteria import set_criteria
from gateway.ledger.admission import (
    CRITERIA_MAX,
    CRITERION_NAME,
    CRITERION_TEXT_MAX,
    Checklist,
    Criterion,
    CriterionAnswer,
    SignedChecklist,
    is_shown,
)
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.errors import NotFound
from gateway.values.hex import to_bytes

CriterionName = Annotated[str, StringConstraints(pattern=CRITERION_NAME)]


def _shown(text: str) -> str:
    """As approvers, who print it, take it."""
    if not is_shown(text, CRITERION_TEXT_MAX):
        raise ValueError("it must be one line of characters that can be printed")
    return text


CriterionText = Annotated[str, StringConstraints(min_length=1, max_length=CRITERION_TEXT_MAX, pattern=r"^[^\x00-\x1f\x7f]*$")]
AnswerNote = Annotated[str, StringConstraints(max_length=CRITERION_TEXT_MAX, pattern=r"^[^\x00-\x1f\x7f]*$"), AfterValidator(_shown)]
VersionQuery = Annotated[int | None, Digits, Query(ge=1, lt=2**31)]
router = Router(prefix="/v1", tags=["governance"])


class CriterionBody(Body):
    name: CriterionName
    text: CriterionText


class AdmissionCriteriaBody(Body):
    criteria: Annotated[list[CriterionBody], Field(max_length=CRITERIA_MAX)]


class CriterionAnswerBody(Body):
    """What does not apply says why in its note."""

    criterion: CriterionName
    answer: Literal["met", "not_applicable"]
    note: AnswerNote = ""


class ChecklistBody(Body):
    """`AdmissionChecklist(bytes32 operation,bytes32 criteria,bytes32 answers,uint40 approvedAt)` in governance's own domain: `operation` is
    the act's id, `criteria` the `criteria_hash` in force, `answers` the keccak of their canonical JSON, `approvedAt` as in the approval."""

    version: Positive
    answers: Annotated[list[CriterionAnswerBody], Field(max_length=CRITERIA_MAX)]
    signature: Signature

    def signed(self) -> SignedChecklist:
        answers = tuple(CriterionAnswer(each.criterion, each.answer, each.note) for each in self.answers)
        return SignedChecklist(Checklist(self.version, answers), to_bytes(self.signature))


class BrandAdmissionView(BaseModel):
    """Empty for a brand that was let in before there were criteria."""

    brand_id: int
    checklists: list[AdmissionChecklistView]


@router.get("/coalition/admission-criteria", responses={**OPEN_READS, 404: READS[404]})
async def get_admission_criteria(context: ContextNeeded, version: VersionQuery = None) -> AdmissionCriteriaView:
    """What whoever joins must meet: the criteria in force, or an earlier version of them. Open to everyone."""
    found = await context.shown.find_soon(_versions, version)
    if found is None:
        raise NotFound(f"no version {version} of the admission criteria was ever set", version=version)
    return found


@router.post("/coalition/admission-criteria", status_code=201, responses=WRITES)
def set_admission_criteria(body: AdmissionCriteriaBody, caller: AsOperator, write: WriteNeeded) -> AdmissionCriteriaView:
    """The next version: from now on each approval of a brand's registration answers it. The same list again is no new version, an empty
    one ends it."""
    asked = [Criterion(each.name, each.text) for each in body.criteria]

    def act(work: UnitOfWork) -> str:
        found = set_criteria(asked, criteria=work.of(SqlCriteria), now=work.now)
        principal = f"{caller.principal}/{caller.key_id}"
        work.of(SqlPrivilegedActions).record(work.now, principal, "set_admission_criteria", "coalition", f"version {found.version}")
        return str(found.version)

    version = int(write.once(caller, "admission_criteria", body.content(), act))
    write.await_ledger([])
    with write.context.database.read() as session:
        found = admission_criteria_view(session, version)
    assert found is not None, "it was set"
    return found


def _versions(work: UnitOfWork, versions: Sequence[int | None]) -> Mapping[int | None, AdmissionCriteriaView | None]:
    return {each: admission_criteria_view(work.session, each) for each in versions}


@router.get("/brands/{brand_id}/admission", responses=READS)
def get_brand_admission(brand_id: BrandIdPath, caller: AsReader, context: ContextNeeded) -> BrandAdmissionView:
    """Who signed what of the criteria when this brand was let in: to the operator, auditors and the brand itself."""
    check_reads_brand(caller, brand_id)
    with context.reading() as work:
        the_brand(work, brand_id)
        return BrandAdmissionView(brand_id=brand_id, checklists=brand_checklists(work.session, brand_id))
