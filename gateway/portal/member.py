"""A member's page, opened by a signed link: points across brands, when they expire, what they are worth, and what happened."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse

from gateway.access.rows import SqlSecrets
from gateway.brands.brand import ACCEPTING_STATUSES
from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import SqlCoalition, business_clock
from gateway.loyalty.programmes.views import managed_brands
from gateway.members.rows import SqlMembers
from gateway.members.view_link import VIEW_LINK_SECRET, check_link
from gateway.points.history import member_history
from gateway.points.views import PointsSource, member_points
from gateway.portal.pages import HEADERS, HERE, page
from gateway.portal.source import PortalSource
from gateway.store.unit_of_work import UnitOfWork, reading
from gateway.values.currencies import major_text
from gateway.values.errors import NotFound, NotPermitted, Refusal
from gateway.values.ids import MemberId

router = APIRouter(include_in_schema=False)
ITEMS_PER_PAGE = 25


@router.get("/members/{member_id}")
def get_member_page(
    member_id: str,
    request: Request,
    link: Annotated[str, Query(max_length=120)] = "",
    cursor: Annotated[str | None, Query(max_length=32)] = None,
) -> Response:
    """The page, or a page that says why not."""
    source = cast(PortalSource, request.app.state.context)
    try:
        member = _member(member_id)
        with reading(source.database, business_clock(source.clock)) as work:
            _check(work, member, link, source.clock())
            sandbox = work.of(SqlCoalition).facts.sandbox
            shown = member_points(
                PointsSource(work.session, work.of(SqlBrands), work.of(SqlMembers), work.of(SqlCoalition).facts, work.now), member
            )
            history = member_history(work.session, member, cursor, ITEMS_PER_PAGE, brands=work.of(SqlBrands), members=work.of(SqlMembers))
            worth, managed = _worth(work, shown.available), managed_brands(work.session, work.now)
    except Refusal as refusal:
        status = {NotPermitted: 403, NotFound: 404}.get(type(refusal), 422)
        text = f"{_sentence(refusal.message)} A shop that takes part gives you a new link."
        return page("message.html", status, title="This page cannot be shown", text=text)
    found: dict[str, Any] = {"member": shown, "worth": worth, "managed": managed, "history": history}
    return page("member.html", sandbox=sandbox, **found, link=link, first_page=cursor is None)


@router.get("/static/portal.css")
def get_portal_style() -> FileResponse:
    """The one style sheet."""
    return FileResponse(HERE / "portal.css", headers={**HEADERS, "Cache-Control": "max-age=3600"}, media_type="text/css")


def _member(member_id: str) -> MemberId:
    try:
        return MemberId.parse(member_id)
    except ValueError:
        raise NotPermitted("this link is not valid") from None


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def _check(work: UnitOfWork, member_id: MemberId, link: str, now: int) -> None:
    secret = work.of(SqlSecrets).find(VIEW_LINK_SECRET)
    if secret is None:
        raise NotPermitted("this link is not valid")
    check_link(secret, member_id, link, now)


def _worth(work: UnitOfWork, available: int) -> list[tuple[str, str]]:
    """(brand, what can be paid there) of every brand that accepts points now."""
    currency = work.of(SqlCoalition).facts.currency
    return [
        (brand.name, f"{major_text(brand.redemption.minor_for(available), currency)} {currency}")
        for brand in work.of(SqlBrands).all()
        if brand.status in ACCEPTING_STATUSES
    ]
