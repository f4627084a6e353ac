"""How many of each other brand's points a brand lets itself be owed: its owner says it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api.brands import OwnerSignatureBody, record_of_brand, show_operation, the_brand
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsReader
from gateway.api.problems import WRITES
from gateway.api.routing import Router
from gateway.api.shapes import Body, BrandIdPath, Whole
from gateway.brands.brand import MAX_REGISTERED_BRAND_ID
from gateway.brands.change_brand import set_exposure
from gateway.rounds.rows import SqlOperations
from gateway.rounds.views import OperationView
from gateway.store.unit_of_work import UnitOfWork, new_operation_id

router = Router(prefix="/v1/brands", tags=["brands"])


class ExposureBody(Body):
    """How many of the issuer's points the brand lets itself be owed, as its owner signed it; 0 = it accepts no more of them."""

    issuer_id: Annotated[int, Field(strict=True, ge=1, le=MAX_REGISTERED_BRAND_ID)]
    most: Whole
    owner: OwnerSignatureBody


@router.post("/{brand_id}/exposure", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def change_exposure(brand_id: BrandIdPath, body: ExposureBody, caller: AsReader, write: WriteNeeded) -> OperationView:
    """What the brand accepts of another brand's points, by its owner, whoever sends it. A brand that said nothing accepts its own alone."""

    def act(work: UnitOfWork) -> str:
        operation_id = new_operation_id()
        asked = body.issuer_id, body.most, body.owner.signed()
        set_exposure(the_brand(work, brand_id), *asked, operations=work.of(SqlOperations), operation_id=operation_id, now=work.now)
        record_of_brand(work, caller, "set_exposure", brand_id, body.model_dump_json())
        return operation_id

    return show_operation(write, write.once(caller, "operation", body.content(), act))
