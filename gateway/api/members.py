"""Members: enrolment, points, history, and links to their page."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, WithJsonSchema

from gateway.api.bulk import BulkView, write_all
from gateway.api.context import ContextNeeded, new_id
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsOperatorOrBrand, Reader
from gateway.api.problems import READS, WRITES
from gateway.api.shapes import (
    MAX_BULK_ITEMS,
    Address,
    AnyItem,
    BlockQuery,
    Body,
    BrandIdQuery,
    Cursor,
    Limit,
    MemberIdPath,
    Positive,
    Word32,
    as_bytes,
)
from gateway.members.enroll_member import enroll_member
from gateway.members.view_link import sign_link
from gateway.points.history import HistoryView, member_history
from gateway.points.views import PointsView, member_points
from gateway.rounds.views import OperationView, find_operation
from gateway.store.unit_of_work import Work
from gateway.values.calendar import moment
from gateway.values.errors import NotFound

router = APIRouter(prefix="/v1/members", tags=["members"])
VIEW_LINK_SECRET = "member-view-links"  # noqa: S105 - the name of a row


class AuthorizerBody(Body):
    """kind 1 = a key, 2 = a claim key that may only change authorizers; `address` is the key's address."""

    kind: Literal[1, 2]
    address: Address


class MemberBody(Body):
    """The member's id commits to authorizer and salt; nothing personal comes here."""

    authorizer: AuthorizerBody
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
    write.settle([operation_id])
    with write.context.reading() as work:
        return MemberView(member_id=member_id, operation=find_operation(work.session, operation_id))


@router.post("/bulk", status_code=201, responses={202: {"model": BulkView}, **WRITES})
def create_members(body: MembersBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> BulkView:
    """Enrolls many; `members` holds bodies as for one."""

    def act(work: Work, _all: list[MemberBody]) -> Any:
        def one(item: MemberBody) -> tuple[str, str | None]:
            member_id = _enroll(work, item)
            return member_id, work.members.operation_of(member_id)

        return one

    return write_all(write, caller, "members", MemberBody, body.members, act)


@router.get("/{member_id}/points", responses=READS)
def get_member_points(
    member_id: MemberIdPath,
    _caller: Reader,
    context: ContextNeeded,
    at_block: BlockQuery = None,
    worth_at_brand: BrandIdQuery = None,
) -> PointsView:
    """What the member has, across all brands, now or at a past block."""
    with context.reading() as work:
        return member_points(work, member_id, at_block, worth_at_brand)


@router.get("/{member_id}/history", responses=READS)
def get_member_history(
    member_id: MemberIdPath, _caller: Reader, context: ContextNeeded, cursor: Cursor = None, limit: Limit = 50
) -> HistoryView:
    """What happened, newest first."""
    with context.reading() as work:
        return member_history(work.session, member_id, cursor, limit)


@router.post("/{member_id}/view-links", responses={**READS, **WRITES})
def create_view_link(member_id: MemberIdPath, body: ViewLinkBody, _caller: AsOperatorOrBrand, context: ContextNeeded) -> ViewLinkView:
    """A signed link to the member's page. Nothing is stored, so no idempotency key is needed."""
    with context.reading() as work:
        if work.members.find(member_id) is None:
            raise NotFound(f"there is no member {member_id}", member_id=member_id)
        secret = work.secrets.find(VIEW_LINK_SECRET)
    if secret is None:
        with context.writing() as work:
            secret = work.secrets.find(VIEW_LINK_SECRET) or secrets.token_bytes(32)
            if work.secrets.find(VIEW_LINK_SECRET) is None:
                work.secrets.add(VIEW_LINK_SECRET, secret)
    token, expires_at = sign_link(secret, member_id, body.valid_seconds, context.clock())
    return ViewLinkView(path=f"/members/{member_id}?link={token}", expires_at=moment(expires_at))


def _enroll(work: Work, body: MemberBody) -> str:
    member = enroll_member(
        body.authorizer.kind,
        as_bytes(body.authorizer.address),
        as_bytes(body.salt),
        coalition=work.coalition,
        members=work.members,
        operations=work.operations,
        operation_id=new_id(),
        now=work.now,
    )
    return member.member_id


def _operation_of(work: Work, member_id: str) -> str:
    operation_id = work.members.operation_of(member_id)
    assert operation_id is not None, "a member is stored with its operation"
    return operation_id
