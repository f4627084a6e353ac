"""Redemption: authorize, capture, void, point refund, and redeem in one step. Every one carries or continues a member's consent."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field, WithJsonSchema

from gateway.api.brands import the_brand
from gateway.api.bulk import BulkView, write_all
from gateway.api.context import Context, ContextNeeded
from gateway.api.idempotency import Write, WriteNeeded
from gateway.api.permissions import AsBrand, AsReader, brand_of, check_reads_brand
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import (
    MAX_BULK_ITEMS,
    AnyItem,
    Body,
    ReservationIdPath,
)
from gateway.bodies.redemption import CaptureBody, CaptureItemBody, ConsentBody, PointRefundBody, VoidBody
from gateway.coalition.rows import SqlCoalition
from gateway.ledger.entries import BRAND_GRANT
from gateway.members.rows import SqlMembers
from gateway.points.rows import SqlPoints
from gateway.redemption.authorize import authorize
from gateway.redemption.capture import capture
from gateway.redemption.point_refund import point_refund
from gateway.redemption.redeem import redeem
from gateway.redemption.redemption_request import RedemptionRequest
from gateway.redemption.rows import SqlReservations
from gateway.redemption.views import AuthorizationView, find_authorization
from gateway.redemption.void import void
from gateway.rounds.rows import SqlOperations
from gateway.rounds.views import OperationView, find_operation
from gateway.store.unit_of_work import UnitOfWork, new_operation_id
from gateway.values.errors import Invalid
from gateway.values.hex import to_bytes
from gateway.values.ids import Hash, MemberId, ReservationId
from gateway.values.money import AmountMinor

router = Router(prefix="/v1", tags=["redemption"])


class AuthorizationsBody(Body):
    """Items are checked one by one."""

    authorizations: Annotated[
        list[Annotated[AnyItem, WithJsonSchema({"$ref": "#/components/schemas/ConsentBody"})]],
        Field(min_length=1, max_length=MAX_BULK_ITEMS),
    ]


class RedemptionsBody(Body):
    """Items are checked one by one."""

    redemptions: Annotated[
        list[Annotated[AnyItem, WithJsonSchema({"$ref": "#/components/schemas/ConsentBody"})]],
        Field(min_length=1, max_length=MAX_BULK_ITEMS),
    ]


class CapturesBody(Body):
    """`captures` holds capture bodies, each with its reservation_id. Items are checked one by one."""

    captures: Annotated[list[AnyItem], Field(min_length=1, max_length=MAX_BULK_ITEMS)]


class DoneView(BaseModel):
    """The operation, and the reservation that it acts on."""

    authorization: AuthorizationView
    operation: OperationView


@router.post("/authorizations", status_code=201, responses={202: {"model": DoneView}, **WRITES})
async def create_authorization(body: ConsentBody, caller: AsBrand, write: WriteNeeded) -> DoneView:
    """Reserves points at the calling brand until the consent's deadline."""
    brand_id = brand_of(caller)
    return await _show(write, await write.once_soon(caller, "operation", body.content(), lambda work: _authorize(work, brand_id, body)))


@router.post("/authorizations/bulk", status_code=201, responses={202: {"model": BulkView}, **WRITES})
def create_authorizations(body: AuthorizationsBody, caller: AsBrand, write: WriteNeeded) -> BulkView:
    """Reserves many; the id of each result is its operation's."""
    return write_all(write, caller, "authorizations", ConsentBody, body.authorizations, _each(_authorize, brand_of(caller)))


@router.get("/authorizations/{reservation_id}", responses=READS)
def get_authorization(reservation_id: ReservationIdPath, caller: AsReader, context: ContextNeeded) -> AuthorizationView:
    """A reservation or redemption of the calling brand."""
    with context.reading() as work:
        found = find_authorization(work.session, ReservationId.parse(reservation_id))
    check_reads_brand(caller, found.brand_id)
    return found


@router.post("/authorizations/{reservation_id}/capture", status_code=201, responses={202: {"model": DoneView}, **WRITES})
async def create_capture(reservation_id: ReservationIdPath, body: CaptureBody, caller: AsBrand, write: WriteNeeded) -> DoneView:
    """Uses the reservation, wholly or in part; the rest is released."""
    brand_id = brand_of(caller)
    item = CaptureItemBody(**body.model_dump(), reservation_id=reservation_id)
    return await _show(write, await write.once_soon(caller, "operation", body.content(), lambda work: _capture(work, brand_id, item)))


@router.post("/captures/bulk", status_code=201, responses={202: {"model": BulkView}, **WRITES})
def create_captures(body: CapturesBody, caller: AsBrand, write: WriteNeeded) -> BulkView:
    """Captures many; the id of each result is its operation's."""
    return write_all(write, caller, "captures", CaptureItemBody, body.captures, _each(_capture, brand_of(caller)))


@router.post("/authorizations/{reservation_id}/void", status_code=201, responses={202: {"model": DoneView}, **WRITES})
async def create_void(reservation_id: ReservationIdPath, body: VoidBody, caller: AsBrand, write: WriteNeeded) -> DoneView:
    """Releases the reservation. After its deadline it is released without this."""

    def act(work: UnitOfWork) -> str:
        brand = the_brand(work, brand_of(caller))
        return void(
            ReservationId.parse(reservation_id),
            body.void_id,
            brand=brand,
            reservations=work.of(SqlReservations),
            operations=work.of(SqlOperations),
            operation_id=new_operation_id(),
            now=work.now,
        )

    return await _show(write, await write.once_soon(caller, "operation", body.content(), act))


@router.post("/authorizations/{reservation_id}/point-refunds", status_code=201, responses={202: {"model": DoneView}, **WRITES})
async def create_point_refund(reservation_id: ReservationIdPath, body: PointRefundBody, caller: AsBrand, write: WriteNeeded) -> DoneView:
    """Gives captured points back; the parts never exceed what was captured."""

    def act(work: UnitOfWork) -> str:
        return point_refund(
            ReservationId.parse(reservation_id),
            body.point_refund_id,
            body.points,
            brand=the_brand(work, brand_of(caller)),
            reservations=work.of(SqlReservations),
            operations=work.of(SqlOperations),
            operation_id=new_operation_id(),
            now=work.now,
        )

    return await _show(write, await write.once_soon(caller, "operation", body.content(), act))


@router.post("/redemptions", status_code=201, responses={202: {"model": DoneView}, **WRITES})
async def create_redemption(body: ConsentBody, caller: AsBrand, write: WriteNeeded) -> DoneView:
    """Authorizes and captures in one step."""
    brand_id = brand_of(caller)
    return await _show(write, await write.once_soon(caller, "operation", body.content(), lambda work: _redeem(work, brand_id, body)))


@router.post("/redemptions/bulk", status_code=201, responses={202: {"model": BulkView}, **WRITES})
def create_redemptions(body: RedemptionsBody, caller: AsBrand, write: WriteNeeded) -> BulkView:
    """Redeems many; the id of each result is its operation's."""
    return write_all(write, caller, "redemptions", ConsentBody, body.redemptions, _each(_redeem, brand_of(caller)))


def _request(body: ConsentBody) -> RedemptionRequest:
    if body.proof is None and body.proof_kind != BRAND_GRANT:
        raise Invalid("a consent has a proof: the signature, or the passkey's assertion", field="proof")
    what = body.points, AmountMinor(body.discount_minor), Hash.parse(body.order_hash)
    proof = body.proof_kind, b"" if body.proof is None else to_bytes(body.proof)
    spender = None if body.spender_id is None else MemberId.parse(body.spender_id)
    return RedemptionRequest(body.order_id, MemberId.parse(body.member_id), *what, body.nonce, body.deadline, *proof, spender)


def _authorize(work: UnitOfWork, brand_id: int, body: ConsentBody) -> str:
    return authorize(
        _request(body),
        brand=the_brand(work, brand_id),
        coalition=work.of(SqlCoalition).facts,
        members=work.of(SqlMembers),
        points=work.of(SqlPoints),
        reservations=work.of(SqlReservations),
        operations=work.of(SqlOperations),
        operation_id=new_operation_id(),
        now=work.now,
    )


def _redeem(work: UnitOfWork, brand_id: int, body: ConsentBody) -> str:
    return redeem(
        _request(body),
        brand=the_brand(work, brand_id),
        coalition=work.of(SqlCoalition).facts,
        members=work.of(SqlMembers),
        points=work.of(SqlPoints),
        reservations=work.of(SqlReservations),
        operations=work.of(SqlOperations),
        operation_id=new_operation_id(),
        now=work.now,
    )


def _capture(work: UnitOfWork, brand_id: int, body: CaptureItemBody) -> str:
    return capture(
        ReservationId.parse(body.reservation_id),
        body.capture_id,
        body.points,
        brand=the_brand(work, brand_id),
        reservations=work.of(SqlReservations),
        operations=work.of(SqlOperations),
        operation_id=new_operation_id(),
        now=work.now,
    )


def _each(verb: Any, brand_id: int) -> Any:
    """A verb as bulk writes call it."""

    def act(work: UnitOfWork, _everything: list[Any]) -> Any:
        def one(item: Any) -> tuple[str, list[str]]:
            operation_id: str = verb(work, brand_id, item)
            return operation_id, [operation_id]

        return one

    return act


async def _show(write: Write, operation_id: str) -> DoneView:
    await write.ledger_soon([operation_id])
    return await run_in_threadpool(_done, write.context, operation_id)


def _done(context: Context, operation_id: str) -> DoneView:
    with context.database.read() as session:
        operation = find_operation(session, operation_id)
        assert operation.reservation_id is not None
        return DoneView(authorization=find_authorization(session, ReservationId.parse(operation.reservation_id)), operation=operation)
