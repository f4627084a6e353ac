"""Members: enrolment, points, history, and links to their page."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any, Literal

from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field, WithJsonSchema

from gateway.access.rows import SqlSecrets
from gateway.api.bulk import BulkView, write_all
from gateway.api.context import Context, ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsOperatorOrBrand, AsReader
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import (
    MAX_BULK_ITEMS,
    AddressText,
    AnyItem,
    BlockQuery,
    Body,
    BrandIdQuery,
    Cursor,
    Limit,
    MemberIdPath,
    Origin,
    Positive,
    RpId,
    Word32,
)
from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import SqlCoalition
from gateway.ledger.passkeys import Passkey
from gateway.members.enroll_member import enroll_member
from gateway.members.rows import SqlMembers
from gateway.members.view_link import VIEW_LINK_SECRET, sign_link
from gateway.points.history import HistoryView, member_history
from gateway.points.views import PointsSource, PointsView, member_points, points_of_members
from gateway.rounds.rows import SqlOperations
from gateway.rounds.views import OperationView, find_operation
from gateway.store.unit_of_work import UnitOfWork, new_operation_id
from gateway.values.calendar import moment
from gateway.values.errors import NotFound
from gateway.values.hex import to_bytes
from gateway.values.ids import MemberId, OperationId

router = Router(prefix="/v1/members", tags=["members"])


class AuthorizerBody(Body):
    """kind 1 = a key, 2 = a claim key that may only change authorizers; `address` is the key's address."""

    kind: Literal[1, 2]
    address: AddressText

    def authorizer(self) -> bytes:
        return to_bytes(self.address)


class PasskeyBody(Body):
    """kind 3 = a passkey on P-256 with public key x, y. It may consent for this relying party and at this one origin."""

    kind: Literal[3]
    x: Word32
    y: Word32
    rp_id: RpId
    origin: Origin

    def authorizer(self) -> bytes:
        return Passkey(to_bytes(self.x), to_bytes(self.y), sha256(self.rp_id.encode()).digest(), self.origin).authorizer()


class MemberBody(Body):
    """The member's id commits to authorizer and salt; nothing personal comes here."""

    authorizer: Annotated[AuthorizerBody | PasskeyBody, Field(discriminator="kind")]
    salt: Word32


class MembersBody(Body):
    """Items are checked one by one."""

    members: Annotated[
        list[Annotated[AnyItem, WithJsonSchema({"$ref": "#/components/schemas/MemberBody"})]],
        Field(min_length=1, max_length=MAX_BULK_ITEMS),
    ]


class ViewLinkBody(Body):
    valid_seconds: Positive = 30 * 86_400


class MemberView(BaseModel):
    member_id: str
    operation: OperationView


class ViewLinkView(BaseModel):
    """`path` opens the member's page until `expires_at`, for whoever has it."""

    path: str
    expires_at: str


@router.post("", status_code=201, responses={202: {"model": MemberView}, **WRITES})
def create_member(body: MemberBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> MemberView:
    """Enrolls a member. The same authorizer and salt are the same member."""
    member_id = write.once(caller, "member", body.content(), lambda work: _enroll(work, body))
    with write.context.reading() as work:
        operation_id = _operation_of(work, member_id)
    write.await_ledger([operation_id])
    with write.context.reading() as work:
        return MemberView(member_id=member_id, operation=find_operation(work.session, operation_id))


@router.post("/bulk", status_code=201, responses={202: {"model": BulkView}, **WRITES})
def create_members(body: MembersBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> BulkView:
    """Enrolls many; `members` holds bodies as for one."""

    def act(work: UnitOfWork, _all: list[MemberBody]) -> Any:
        def one(item: MemberBody) -> tuple[str, list[str]]:
            member_id = _enroll(work, item)
            return member_id, [_operation_of(work, member_id)]

        return one

    return write_all(write, caller, "members", MemberBody, body.members, act)


@router.get("/{member_id}/points", responses=READS)
async def get_member_points(
    member_id: MemberIdPath,
    _caller: AsReader,
    context: ContextNeeded,
    at_block: BlockQuery = None,
    worth_at_brand: BrandIdQuery = None,
) -> PointsView:
    """What the member has, across all brands, now or at a past block."""
    member = MemberId.parse(member_id)
    if at_block is None and worth_at_brand is None:
        shown = await context.shown.find_soon(_points_now, member)
        if shown is not None:
            return shown
    return await run_in_threadpool(_points, context, member, at_block, worth_at_brand)


def _points(context: Context, member: MemberId, at_block: int | None, worth_at_brand: int | None) -> PointsView:
    with context.reading() as work:
        return member_points(points_source(work), member, at_block, worth_at_brand)


@router.get("/{member_id}/history", responses=READS)
def get_member_history(
    member_id: MemberIdPath, _caller: AsReader, context: ContextNeeded, cursor: Cursor = None, limit: Limit = 50
) -> HistoryView:
    """What happened, newest first."""
    with context.reading() as work:
        return member_history(
            work.session, MemberId.parse(member_id), cursor, limit, brands=work.of(SqlBrands), members=work.of(SqlMembers)
        )


@router.post("/{member_id}/view-links", responses={**READS, **WRITES})
def create_view_link(member_id: MemberIdPath, body: ViewLinkBody, _caller: AsOperatorOrBrand, context: ContextNeeded) -> ViewLinkView:
    """A signed link to the member's page. Nothing is stored, so no idempotency key is needed."""
    with context.reading() as work:
        if work.of(SqlMembers).find(MemberId.parse(member_id)) is None:
            raise NotFound(f"there is no member {member_id}", member_id=member_id)
        secret = work.of(SqlSecrets).find(VIEW_LINK_SECRET)
    if secret is None:
        with context.writing() as work:
            secret = work.of(SqlSecrets).find(VIEW_LINK_SECRET) or secrets.token_bytes(32)
            if work.of(SqlSecrets).find(VIEW_LINK_SECRET) is None:
                work.of(SqlSecrets).add(VIEW_LINK_SECRET, secret)
    token, expires_at = sign_link(secret, MemberId.parse(member_id), body.valid_seconds, context.clock())
    return ViewLinkView(path=f"/members/{member_id}?link={token}", expires_at=moment(expires_at))


def _points_now(work: UnitOfWork, members: Sequence[MemberId]) -> dict[MemberId, PointsView]:
    return {member: shown for member, (shown, _, _) in points_of_members(points_source(work), members).items()}


def points_source(work: UnitOfWork) -> PointsSource:
    """What views of points look at, in this unit of work."""
    return PointsSource(work.session, work.of(SqlBrands), work.of(SqlMembers), work.of(SqlCoalition).facts, work.now)


def _enroll(work: UnitOfWork, body: MemberBody) -> str:
    member = enroll_member(
        body.authorizer.kind,
        body.authorizer.authorizer(),
        to_bytes(body.salt),
        coalition=work.of(SqlCoalition).facts,
        members=work.of(SqlMembers),
        operations=work.of(SqlOperations),
        operation_id=new_operation_id(),
        now=work.now,
    )
    return str(member.member_id)


def _operation_of(work: UnitOfWork, member_id: str) -> OperationId:
    operation_id = work.of(SqlMembers).operation_of(MemberId.parse(member_id))
    assert operation_id is not None, "a member is stored with its operation"
    return operation_id
