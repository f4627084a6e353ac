"""How a brand ends or goes to another owner: its run-off, another owner by governance, and handing it over by both owners."""

from __future__ import annotations

from gateway.api.brands import OwnerSignatureBody, record_of_brand, show_operation, the_brand
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsOperator, AsReader
from gateway.api.problems import WRITES
from gateway.api.routing import Router
from gateway.api.shapes import AddressText, Body, BrandIdPath, Date, Signature
from gateway.brands.change_brand import hand_brand_over, set_brand_owner, start_run_off
from gateway.rounds.rows import SqlOperations
from gateway.rounds.views import OperationView
from gateway.store.unit_of_work import UnitOfWork, new_operation_id
from gateway.values.calendar import day_number
from gateway.values.hex import to_bytes
from gateway.values.ids import Address

router = Router(prefix="/v1/brands", tags=["brands"])


class RunOffBody(Body):
    """The last local day on which the brand's points are accepted."""

    last_day: Date


class SuccessionBody(Body):
    owner_address: AddressText


class HandOverBody(Body):
    """`HandOver(uint32 brand,address owner,bool issuesNoMore,uint64 nonce,uint40 deadline)` in the brands' domain: by the owner, and by
    the new one. In a succession the brand issues no more, for good; otherwise only its owner is another."""

    owner_address: AddressText
    issues_no_more: bool
    owner: OwnerSignatureBody
    accepted: Signature


@router.post("/{brand_id}/run-off", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def begin_run_off(brand_id: BrandIdPath, body: RunOffBody, caller: AsOperator, write: WriteNeeded) -> OperationView:
    """The brand issues no more, and its points are accepted until that day has ended: proposed to governance."""

    def act(work: UnitOfWork) -> str:
        operation_id, day = new_operation_id(), day_number(body.last_day)
        start_run_off(the_brand(work, brand_id), day, operations=work.of(SqlOperations), operation_id=operation_id, now=work.now)
        record_of_brand(work, caller, "start_run_off", brand_id, body.last_day.isoformat())
        return operation_id

    return show_operation(write, write.once(caller, "operation", body.content(), act))


@router.post("/{brand_id}/succession", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def propose_succession(brand_id: BrandIdPath, body: SuccessionBody, caller: AsOperator, write: WriteNeeded) -> OperationView:
    """Another owner without the present one, who can veto it: proposed to governance."""

    def act(work: UnitOfWork) -> str:
        operation_id, owner = new_operation_id(), Address.parse(body.owner_address)
        set_brand_owner(the_brand(work, brand_id), owner, operations=work.of(SqlOperations), operation_id=operation_id, now=work.now)
        record_of_brand(work, caller, "set_brand_owner", brand_id, body.owner_address)
        return operation_id

    return show_operation(write, write.once(caller, "operation", body.content(), act))


@router.post("/{brand_id}/owner", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def hand_over_brand(brand_id: BrandIdPath, body: HandOverBody, caller: AsReader, write: WriteNeeded) -> OperationView:
    """Hands the brand to another owner: both have signed, whoever sends it."""

    def act(work: UnitOfWork) -> str:
        operation_id, to = new_operation_id(), (Address.parse(body.owner_address), body.issues_no_more)
        given, brand = (body.owner.signed(), to_bytes(body.accepted)), the_brand(work, brand_id)
        hand_brand_over(brand, *to, *given, operations=work.of(SqlOperations), operation_id=operation_id, now=work.now)
        record_of_brand(work, caller, "hand_brand_over", brand_id, body.owner_address)
        return operation_id

    return show_operation(write, write.once(caller, "operation", body.content(), act))
