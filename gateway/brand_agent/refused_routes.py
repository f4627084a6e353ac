"""What the gateway or the ledger refused, and what the feed said too late: another try, or a mark that it was dealt with."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Annotated

import anyio.to_thread
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.bodies.shapes import Body, Label
from gateway.brand_agent.asking import agent_of, answering, body_of, is_of_store, speaker_of, till_of
from gateway.brand_agent.feed_lines import deal_with as deal_with_row
from gateway.brand_agent.feed_lines import problems
from gateway.brand_agent.item import Item
from gateway.brand_agent.outbox import find
from gateway.brand_agent.problems import TillRefused
from gateway.brand_agent.refused import PAGE, deal_with, follow_again, refused_item, send_again, still_refused, times_tried
from gateway.brand_agent.till_routes import named_item, view
from gateway.brand_agent.tills import Scope
from gateway.values.calendar import wall_clock


class RetryRefusedBody(Body):
    """Nothing to say: what is tried again is what it was."""


class DealtWithBody(Body):
    """How it was put right, in a person's words."""

    note: Annotated[Label, Field(examples=["told again as p-17b"])]


def routes() -> list[Route]:
    one = "/v1/refused/{kind}/{external_id:path}"
    return [
        Route("/v1/refused", answering(_listed), methods=["GET"]),
        Route(f"{one}/retry", answering(_post_retry), methods=["POST"]),
        Route(f"{one}/dealt-with", answering(_post_dealt_with), methods=["POST"]),
    ]


def feed_routes() -> list[Route]:
    return [
        Route("/v1/feed", answering(_feed_problems), methods=["GET"]),
        Route("/v1/feed/{row_id:path}/dealt-with", answering(_post_feed_dealt_with), methods=["POST"]),
    ]


async def _listed(request: Request) -> Response:
    """Oldest first; `next` is the `after` of the next page."""
    speaker_of(request, Scope.REFUSED)
    after = request.query_params.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise TillRefused(422, "invalid", "after must be the `next` of the page before", field="after")
    page = await asyncio.wrap_future(agent_of(request).journal.submit(lambda connection: still_refused(connection, int(after))))
    following = page[-1].sequence if len(page) == PAGE else None
    return JSONResponse({"refused": [one.view() for one in page], "next": following})


async def _post_dealt_with(request: Request) -> Response:
    speaker = speaker_of(request, Scope.REFUSED)
    body, (kind, external_id) = await body_of(request, DealtWithBody), named_item(request)

    def act(connection: sqlite3.Connection) -> Item:
        item = refused_item(connection, kind, external_id)
        deal_with(connection, item, speaker, body.note, wall_clock())
        return item

    return JSONResponse(view(await asyncio.wrap_future(agent_of(request).journal.submit(act))))


async def _feed_problems(request: Request) -> Response:
    speaker_of(request, Scope.REFUSED)
    found = await asyncio.wrap_future(agent_of(request).journal.submit(problems))
    return JSONResponse({"problems": [one.view() for one in found]})


async def _post_feed_dealt_with(request: Request) -> Response:
    speaker = speaker_of(request, Scope.REFUSED)
    body, row_id = await body_of(request, DealtWithBody), str(request.path_params["row_id"])
    done = agent_of(request).journal.submit(lambda connection: deal_with_row(connection, row_id, speaker, body.note))
    if not await asyncio.wrap_future(done):
        raise TillRefused(404, "not_found", f"no problem stands with row {row_id} of the feed")
    return JSONResponse({"id": row_id, "dealt_with": body.note})


async def _post_retry(request: Request) -> Response:
    """What the gateway never made an operation of is sent again; operations are tried again by the gateway, which is asked at once.

    A store's agent may ask it for what its own tills said.
    """
    agent, till = agent_of(request), till_of(request)
    is_store = Scope.REFUSED not in till.scopes
    speaker = speaker_of(request, Scope.STORE if is_store else Scope.REFUSED)
    await body_of(request, RetryRefusedBody)
    kind, external_id = named_item(request)

    def begin(connection: sqlite3.Connection) -> tuple[Item, int]:
        item = refused_item(connection, kind, external_id)
        if is_store and not is_of_store(item.till, till.name):
            raise TillRefused(409, "not_tried_again", f"another till told {kind} {external_id}: try it again at the brand's agent")
        return item, times_tried(connection, item)

    item, tried = await asyncio.wrap_future(agent.journal.submit(begin))
    is_awaited = await anyio.to_thread.run_sync(agent.ask_for_another_try, item, tried)

    def act(connection: sqlite3.Connection) -> Item:
        again = follow_again if is_awaited else send_again
        again(connection, refused_item(connection, kind, external_id), speaker, wall_clock())
        changed = find(connection, kind, external_id)
        assert changed is not None
        return changed

    changed = await asyncio.wrap_future(agent.journal.submit(act))
    agent.forwarder.wake()
    return JSONResponse(view(changed), 202)
