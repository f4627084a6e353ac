"""Authorize, redeem and quote: never queued, since somebody stands at the till. Asked of the gateway at once, within a bound."""

from __future__ import annotations

import asyncio
import re
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio.to_thread
import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.bodies.redemption import ConsentBody
from gateway.brand_agent.asking import TILL_BODY_BYTES_MAX, agent_of, answering, body_of, read_body, speaker_of
from gateway.brand_agent.gateway_client import GatewayAnswer, GatewayAway, NotTheGateway, object_of
from gateway.brand_agent.item import Speaker
from gateway.brand_agent.orders import AUTHORIZE, REDEEM, keep_order, note_accepted, order_request
from gateway.brand_agent.own_discount import OWN_DISCOUNT, OwnDiscount, WantedDiscount, give
from gateway.brand_agent.problems import TillRefused
from gateway.brand_agent.statements import KnownOrder
from gateway.brand_agent.till_agent import TillAgent
from gateway.brand_agent.tills import Scope
from gateway.secret_files import UnsafeFile
from gateway.values.calendar import moment, wall_clock

_ANSWER_BYTES_MAX = 1024 * 1024
_RESERVATION = re.compile(r"0x[0-9a-f]{64}")
_INSTEAD = "sell without points, or give the discount as the brand's own"
_AWAY = f"{{}} is away and nothing was asked of it: {_INSTEAD}"
_OTHER = f"what answers at {{}} is not {{}}, and nothing was asked of that: have it corrected; until then {_INSTEAD}"
_UNKNOWN = "{} did not answer in time, and may have taken it: ask again under the same order id, or cancel the order"


class _NothingAsked(TillRefused):
    """There was no connection, or it led elsewhere: the gateway has heard nothing of it."""


def routes() -> list[Route]:
    return [
        Route("/v1/authorizations", answering(_asked(AUTHORIZE)), methods=["POST"]),
        Route("/v1/redemptions", answering(_asked(REDEEM)), methods=["POST"]),
        Route("/v1/quotes", answering(_quoted), methods=["POST"]),
    ]


def _asked(kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def ask(request: Request) -> Response:
        speaker, agent = speaker_of(request, Scope.REDEMPTIONS), agent_of(request)
        body = await body_of(request, ConsentBody)
        place = agent.place
        order, now = KnownOrder(body.order_id, kind, body.member_id, agent.reservation_id(body), body.deadline), wall_clock()
        ask_id = 1 + secrets.randbits(52)

        def keep(connection: sqlite3.Connection) -> OwnDiscount | None:
            return keep_order(connection, body, order, agent.lines, speaker, now, ask_id=ask_id, is_sandbox=place.sandbox)

        given = await asyncio.wrap_future(agent.journal.submit(keep))
        if given is not None:
            return JSONResponse(given.view(), headers={"Idempotent-Replayed": "true"})
        path, named = order_request(kind, body.order_id)
        headers = {"Idempotency-Key": named, "Prefer": request.headers.get("Prefer", "")[:64]}
        try:
            answer = await _pass(agent, speaker, path, body.model_dump_json(exclude_defaults=True).encode(), headers)
        except _NothingAsked as away:
            asked = WantedDiscount(body.order_id, body.member_id, body.points, body.discount_minor, ask_id)
            return await _own_discount(agent, asked, speaker, away)
        told = object_of(bytes(answer.body))
        if answer.status_code in (200, 201, 202) and told.get("outcome") != OWN_DISCOUNT:
            reserved = _reservation_in(told)

            def note(connection: sqlite3.Connection) -> None:
                note_accepted(connection, body.order_id, reserved, time.time())

            await asyncio.wrap_future(agent.journal.submit(note))
        return answer

    return ask


async def _own_discount(agent: TillAgent, asked: WantedDiscount, speaker: Speaker, away: TillRefused) -> Response:
    """Up to the floor limit; else the gateway is away, and why there was none."""
    limit, now = agent.floor_limit, wall_clock()
    if limit is None:
        raise away
    day = moment(now + agent.place.utc_offset_seconds)[:10]

    def act(connection: sqlite3.Connection) -> OwnDiscount | str:
        return give(connection, asked, limit, agent.lines, speaker, day, now)

    given = await asyncio.wrap_future(agent.journal.submit(act))
    if isinstance(given, str):
        raise _NothingAsked(503, away.code, away.detail, **away.facts, own_discount=given)
    return JSONResponse(given.view())


async def _quoted(request: Request) -> Response:
    speaker = speaker_of(request, Scope.REDEMPTIONS)
    return await _pass(agent_of(request), speaker, "/v1/quotes", await read_body(request, TILL_BODY_BYTES_MAX), {})


async def _pass(agent: TillAgent, speaker: Speaker, path: str, content: bytes, headers: dict[str, str]) -> Response:
    peer = agent.client.PEER
    await _made_sure(agent)
    try:
        known = agent.asking_as(speaker)
    except UnsafeFile as error:
        raise TillRefused(503, "gateway_refuses_key", f"there is no key to ask {peer} with: {error}") from error
    sent = {**known, "Content-Type": "application/json", "Accept-Encoding": "identity", **headers}
    try:
        async with asyncio.timeout(agent.pass_seconds):
            return await _answer(agent, path, content, sent)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise _NothingAsked(503, "gateway_away", _AWAY.format(peer), outcome="nothing_asked") from error
    except (TimeoutError, httpx.HTTPError) as error:
        raise TillRefused(504, "unknown", _UNKNOWN.format(peer), outcome="unknown") from error


async def _made_sure(agent: TillAgent) -> None:
    """Raises _NothingAsked where it is known, or for a store's agent not ruled out, that somebody else would be asked."""
    if agent.forwarder.reach.is_other:
        raise _nothing_asked_of_another(agent)
    if agent.is_sure:
        return
    try:
        async with asyncio.timeout(agent.pass_seconds):
            await anyio.to_thread.run_sync(agent.client.make_sure, abandon_on_cancel=True)
    except NotTheGateway as other:
        raise _nothing_asked_of_another(agent) from other
    except (GatewayAway, TimeoutError) as away:
        raise _NothingAsked(503, "gateway_away", _AWAY.format(agent.client.PEER), outcome="nothing_asked") from away


async def _answer(agent: TillAgent, path: str, content: bytes, headers: dict[str, str]) -> Response:
    client, peer = agent.passing, agent.client.PEER
    sent = httpx.Headers(headers, encoding="latin-1")  # as a cashier's name came in
    async with client.stream("POST", path, content=content, headers=sent) as response:
        received = bytearray()
        async for piece in response.aiter_raw():
            received += piece
            if len(received) > _ANSWER_BYTES_MAX:
                raise httpx.ReadError(f"the answer of {peer} is too long")
        told = GatewayAnswer(response.status_code, object_of(bytes(received)))
        if told.is_gateways and told.status in (401, 403):
            raise TillRefused(503, "gateway_refuses_key", f"{peer} refuses {agent.client.wrong_key(told.code)}")
        if response.status_code in (500, 502, 504):
            raise httpx.ReadError(f"{peer} answers {response.status_code}")
        if not told.is_gateways and told.status != 503:
            if 400 <= told.status < 500:
                raise _nothing_asked_of_another(agent)
            raise httpx.ReadError(f"this is no answer of {peer}: {told.code}")
        return Response(bytes(received), response.status_code, media_type=response.headers.get("Content-Type", "application/json"))


def _nothing_asked_of_another(agent: TillAgent) -> _NothingAsked:
    client = agent.client
    return _NothingAsked(503, "gateway_away", _OTHER.format(f"agent.{client.URL_NAME}", client.PEER), outcome="nothing_asked")


def _reservation_in(content: Mapping[str, Any]) -> str:
    """As an answer about an order names it; empty where it does not."""
    told = content.get("authorization")
    named = told.get("reservation_id") if isinstance(told, dict) else None
    return named if isinstance(named, str) and _RESERVATION.fullmatch(named) else ""
