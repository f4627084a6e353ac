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
from gateway.brand_agent.bonus import month_of
from gateway.brand_agent.gateway_client import GatewayAway
from gateway.brand_agent.own_discount import count_of
from gateway.brand_agent.standing import Parts, Standing, standing
from gateway.brand_agent.tills import Scope
from gateway.values.calendar import wall_clock
from gateway.values.urls import without_secrets


class DayCloseBody(Body):
    """What a till counted on a business day: its sales and their gross sum."""

    day: Date
    count: Whole
    gross_minor: AnyAmount


def routes() -> list[Route]:
    return [
        Route("/v1/status", answering(_status), methods=["GET"]),
        Route("/metrics", answering(_metrics), methods=["GET"]),
        Route("/v1/gateway", answering(_gateway), methods=["GET"]),
        Route("/v1/day-close", answering(_post_day_close), methods=["POST"]),
    ]


async def _status(request: Request) -> Response:
    return JSONResponse((await _standing(request)).view())


async def _metrics(request: Request) -> Response:
    return PlainTextResponse((await _standing(request)).metrics(), media_type="text/plain; version=0.0.4")


async def _gateway(request: Request) -> Response:
    """As the gateway's probe of a signer, the other way round: for a till that sees the status, and for who sets the agent up."""
    if not is_gateway(request):
        speaker_of(request, Scope.STATUS)
    agent, said = agent_of(request), None
    try:
        await anyio.to_thread.run_sync(agent.greet_gateway)
    except GatewayAway as away:
        said = str(away)
    told = {"gateway": "there" if said is None else "away", "gateway_url": without_secrets(agent.config.gateway_url), "said": said}
    return JSONResponse(told)


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
    feed = None if agent.feed is None else agent.feed.standing
    ledger = None if agent.ledger is None else agent.ledger.standing
    told = {each.addressee_id: each.troubles for each in agent.evidence_senders}
    month = month_of(wall_clock(), agent.config.signer.utc_offset_seconds)
    rules = agent.rules.rules(), agent.rule_follower.refused
    parts = Parts(feed, ledger, *rules, told, agent.config.partners, month, agent.config.signer.sandbox)
    read = agent.journal.submit(lambda connection: standing(connection, agent.forwarder.reach, parts, wall_clock()))
    return await asyncio.wrap_future(read)
