"""A till's or the gateway's request: who asks, and what; refused before its body is read where the token is no good."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.bodies.shapes import Body
from gateway.brand_agent.group_writer import CannotWrite
from gateway.brand_agent.item import Speaker
from gateway.brand_agent.problems import TillRefused
from gateway.brand_agent.till_agent import TillAgent
from gateway.brand_agent.tills import TILL_NAME, Scope, Till, WrongTill
from gateway.inbound.connections import know

TILL_BODY_BYTES_MAX = 256 * 1024
BODY_SECONDS = 10
CASHIER_HEADER = "Till-Cashier"
TILL_HEADER = "Till-Name"
_CASHIER_LENGTH_MAX = 64
_FIELDS_TOLD_MAX = 5
_AnyBody = TypeVar("_AnyBody", bound=Body)
Handler = Callable[[Request], Awaitable[Response]]


def agent_of(request: Request) -> TillAgent:
    agent: TillAgent = request.app.state.agent
    return agent


def till_of(request: Request, *scopes: Scope) -> Till:
    """Whose token it is, if it may do all this. Raises TillRefused."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        till = agent_of(request).tills.holder(token) if scheme == "Bearer" else None
    except WrongTill as damaged:
        raise TillRefused(503, "tills_damaged", str(damaged)) from None
    if till is None:
        raise TillRefused(401, "not_authenticated", "the till's token is missing, wrong or revoked: add the till, and give it its token")
    know(request.scope, f"till {till.name}")
    if not till.scopes.issuperset(scopes):
        raise TillRefused(403, "not_permitted", f"till {till.name} may not do this: its scopes are {', '.join(sorted(till.scopes))}")
    return till


def speaker_of(request: Request, scope: Scope) -> Speaker:
    """The till, if it may do this, and who stands at it; of a store's agent, which of its tills. Raises TillRefused."""
    till = till_of(request, scope)
    cashier, named = request.headers.get(CASHIER_HEADER), request.headers.get(TILL_HEADER)
    if cashier is not None and not (cashier.isprintable() and 1 <= len(cashier) <= _CASHIER_LENGTH_MAX):
        raise TillRefused(422, "invalid", f"{CASHIER_HEADER} must be 1 to {_CASHIER_LENGTH_MAX} printable characters", field=CASHIER_HEADER)
    if named is None:
        return Speaker(till.name, cashier)
    if Scope.STORE not in till.scopes or agent_of(request).signer_token is None:  # no store stands before a store
        raise TillRefused(403, "not_permitted", f"{TILL_HEADER} is for a store's agent: a till is who its token says, which is {till.name}")
    if not TILL_NAME.fullmatch(named):
        raise TillRefused(422, "invalid", f"{TILL_HEADER} must be a till's name", field=TILL_HEADER)
    return till_of_store(till.name, named, cashier)


def till_of_store(store: str, till: str, cashier: str | None) -> Speaker:
    """No till of the brand's agent's own, and of no other store, can have this name: names have no slash."""
    return Speaker(f"{store}/{till}", cashier)


def is_of_store(till: str, store: str) -> bool:
    return till.startswith(f"{store}/")


def is_gateway(request: Request) -> bool:
    """Whether the request bears the signer's token."""
    token = agent_of(request).signer_token
    if token is None:
        return False
    given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    is_good = hmac.compare_digest(given, f"Bearer {token}".encode())
    if is_good:
        know(request.scope, "the gateway")
    return is_good


async def read_body(request: Request, most: int) -> bytes:
    """Whole, within a size and a time. Raises TillRefused."""
    received = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                received += piece
                if len(received) > most:
                    raise TillRefused(413, "too_large", f"a body has at most {most} bytes")
    except TimeoutError:
        raise TillRefused(408, "too_slow", f"the body did not arrive within {BODY_SECONDS} seconds: send it again") from None
    return bytes(received)


async def body_of(request: Request, shape: type[_AnyBody], most: int = TILL_BODY_BYTES_MAX) -> _AnyBody:
    content = await read_body(request, most)
    try:
        value: Any = from_json(content, allow_inf_nan=False)
    except ValueError:
        raise TillRefused(400, "malformed_json", "the body is not JSON, or is nested too deeply") from None
    return shaped(value, shape)


def shaped(value: Any, shape: type[_AnyBody]) -> _AnyBody:
    """Raises TillRefused."""
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        places = [{"field": ".".join(str(part) for part in one["loc"]) or "body", "reason": one["msg"]} for one in found[:20]]
        told = "; ".join(f"{one['field']}: {one['reason']}" for one in places[:_FIELDS_TOLD_MAX])
        more = f"; and {len(found) - _FIELDS_TOLD_MAX} more" if len(found) > _FIELDS_TOLD_MAX else ""
        raise TillRefused(422, "invalid", told + more, errors=places) from None


def answering(handler: Handler) -> Handler:
    """Turns refusals into answers."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except TillRefused as refused:
            return refused.answer()
        except CannotWrite as full:
            return TillRefused(503, "journal_unwritable", str(full)).answer()
        except ClientDisconnect:
            return Response(status_code=400)

    return answer
