"""How the agent stands, and the close of a till's day."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.bodies.shapes import AnyAmount, Body, Date, Whole
from gateway.brand_agent.asking import agent_of, answering, body_of, is_gateway, speaker_of
from gateway.brand_agent.gateway_client import GatewayAway
from gateway.brand_agent.own_discount import count_of
from gateway.brand_agent.standing import Standing, standing
from gateway.brand_agent.tills import Scope
from gateway.values.calendar import wall_clock


class DayCloseBody(Body):
    """What a till counted on a business day: its sales and their gross sum."""

    day: Date
    count: Whole
    gross_minor: AnyAmount


def routes(peer: str) -> list[Route]:
    """`peer`: the name of whom the agent asks."""
    return [
        Route(f"/v1/{peer}", answering(_peer), methods=["GET"]),
        Route("/v1/status", answering(_status), methods=["GET"]),
        Route("/metrics", answering(_metrics), methods=["GET"]),
        Route("/v1/day-close", answering(_post_day_close), methods=["POST"]),
    ]


async def _status(request: Request) -> Response:
    return JSONResponse((await _standing(request)).view())


async def _metrics(request: Request) -> Response:
    return PlainTextResponse((await _standing(request)).metrics(), media_type="text/plain; version=0.0.4")


async def _peer(request: Request) -> Response:
    """Gateway, or brand's agent: as the gateway's probe of a signer, the other way round, for a till that sees the status, and for who sets
    the agent up."""
    if not is_gateway(request):
        speaker_of(request, Scope.STATUS)
    agent, said = agent_of(request), None
    try:
        await anyio.to_thread.run_sync(agent.greet)
    except GatewayAway as away:
        said = str(away)
    client = agent.client
    return JSONResponse({client.NAME: "there" if said is None else "away", client.URL_NAME: client.shown_url, "said": said})


async def _post_day_close(request: Request) -> Response:
    """200 where both agree; 409 with both figures where they do not, which stands as an alarm until a later close agrees."""
    speaker = speaker_of(request, Scope.SALES)
    body = await body_of(request, DayCloseBody)
    day = body.day.isoformat()

    def act(connection: sqlite3.Connection) -> tuple[tuple[int, int], tuple[int, int]]:
        sums = "SELECT count(*), coalesce(sum(gross_minor), 0) FROM items WHERE day = ? AND till = ?"
        found: tuple[int, int] = connection.execute(sums, (day, speaker.till)).fetchone()
        agrees = found == (body.count, body.gross_minor)
        values = day, speaker.till, body.count, body.gross_minor, agrees
        connection.execute("INSERT OR REPLACE INTO day_closes VALUES (?, ?, ?, ?, ?)", values)
        return found, count_of(connection, day, speaker.till)

    (count, gross_minor), own = await asyncio.wrap_future(agent_of(request).journal.submit(act))
    agrees = (count, gross_minor) == (body.count, body.gross_minor)
    journal = {"count": count, "gross_minor": gross_minor}
    told: dict[str, Any] = {"day": day, "till": speaker.till, "agrees": agrees, "journal": journal}
    told["own_discounts"] = {"count": own[0], "discount_minor": own[1]}
    if not agrees:
        told["detail"] = "the journal has other figures: send the sales that are missing under their own ids, and close the day again"
    return JSONResponse(told, 200 if agrees else 409)


async def _standing(request: Request) -> Standing:
    speaker_of(request, Scope.STATUS)
    agent = agent_of(request)
    parts = agent.parts()
    read = agent.journal.submit(lambda connection: standing(connection, agent.forwarder.reach, parts, wall_clock()))
    return await asyncio.wrap_future(read)
