"""Where a store's agent, which has no key of the brand's, hands over what its tills said, and asks how that stands.

It speaks for its own tills alone: whatever they are called there, here they are STORE/TILL.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.bodies.purchases import PaymentRefundBody, PurchaseBody, RefundFailureBody
from gateway.brand_agent.asking import agent_of, answering, body_of, shaped, till_of, till_of_store
from gateway.brand_agent.forwarded import (
    BYTES_MAX,
    CaptureOfOrderBody,
    ForwardedItem,
    ForwardedItemsBody,
    NamedItemsBody,
    OfOrderBody,
    PointRefundOfOrderBody,
    VoidOfOrderBody,
)
from gateway.brand_agent.gateway_client import names_of
from gateway.brand_agent.item import Item, ItemKind, Speaker
from gateway.brand_agent.orders import keep_order, note_accepted, order_named
from gateway.brand_agent.outbox import find
from gateway.brand_agent.problems import TillRefused
from gateway.brand_agent.redemption_routes import capture_told, let_go_told
from gateway.brand_agent.statements import KnownOrder, Statement
from gateway.brand_agent.till_agent import TillAgent
from gateway.brand_agent.till_routes import SCOPE_OF, not_told, payment_refund_told, refund_failure_told, sale_told, view
from gateway.brand_agent.tills import Scope
from gateway.brand_agent.upstream_client import ITEMS_PATH, NAMED_AT, STANDINGS_PATH
from gateway.values.calendar import wall_clock

_OF_ORDERS: Mapping[ItemKind, type[OfOrderBody]] = {
    ItemKind.CAPTURE: CaptureOfOrderBody,
    ItemKind.VOID: VoidOfOrderBody,
    ItemKind.POINT_REFUND: PointRefundOfOrderBody,
}
_Said = Callable[[sqlite3.Connection], Statement]


def routes() -> list[Route]:
    return [
        Route(NAMED_AT, answering(_named), methods=["GET"]),
        Route(ITEMS_PATH, answering(_post_items), methods=["POST"]),
        Route(STANDINGS_PATH, answering(_post_standings), methods=["POST"]),
    ]


async def _named(request: Request) -> Response:
    """Open to everyone: by this a store's agent knows whose agent it has before it, before it says anything."""
    place = agent_of(request).place
    return JSONResponse({"brand_id": place.brand_id, **names_of(place.domain)})


async def _post_items(request: Request) -> Response:
    """202 once each is on disk, or refused by itself; the same again is answered as it stands now."""
    till_of(request, Scope.STORE)
    body, agent = await body_of(request, ForwardedItemsBody, BYTES_MAX), agent_of(request)
    store = till_of(request, Scope.STORE, *{SCOPE_OF[item.kind] for item in body.items})
    kept = await asyncio.gather(*(_kept(agent, store.name, item) for item in body.items))
    if any(is_new for _, is_new in kept):
        agent.forwarder.wake()
    return JSONResponse({"results": [told for told, _ in kept]}, 202)


async def _kept(agent: TillAgent, store: str, item: ForwardedItem) -> tuple[dict[str, Any], bool]:
    """(how it stands, whether it is new)."""
    try:
        found, again = await asyncio.wrap_future(_submitted(agent, till_of_store(store, item.till, item.cashier), item))
    except TillRefused as refused:
        return {"problem": refused.view()}, False
    return view(found), not again


def _submitted(agent: TillAgent, speaker: Speaker, item: ForwardedItem) -> Future[tuple[Item, bool]]:
    said = _said(agent, speaker, item)
    return agent.journal.submit(lambda connection: said(connection).keep(connection, agent.lines, speaker, wall_clock()))


def _said(agent: TillAgent, speaker: Speaker, item: ForwardedItem) -> _Said:
    match item.kind:
        case ItemKind.PURCHASE:
            sold = sale_told(agent, shaped(item.body, PurchaseBody))
            return lambda _: sold
        case ItemKind.PAYMENT_REFUND:
            given_back = payment_refund_told(shaped(item.body, PaymentRefundBody))
            return lambda _: given_back
        case ItemKind.REFUND_FAILURE:
            failed = shaped(item.body, RefundFailureBody)
            return lambda connection: refund_failure_told(connection, item.target, failed)
        case ItemKind.CAPTURE | ItemKind.VOID | ItemKind.POINT_REFUND:
            told = shaped(item.body, _OF_ORDERS[item.kind])
            return lambda connection: _of_order(connection, agent, told, _order(connection, agent, speaker, told))


def _of_order(connection: sqlite3.Connection, agent: TillAgent, told: OfOrderBody, order: KnownOrder) -> Statement:
    match told:
        case CaptureOfOrderBody():
            return capture_told(connection, agent, told.without_order(), order)
        case VoidOfOrderBody():
            return let_go_told(connection, agent, told.without_order(), order)
        case PointRefundOfOrderBody():
            return agent.of_order(connection, told.without_order(), order)


def _order(connection: sqlite3.Connection, agent: TillAgent, speaker: Speaker, told: OfOrderBody) -> KnownOrder:
    """As it was asked through this agent; one that never came here, or was in no backup, is written down now. What was captured of it, or
    given back, the gateway had taken."""
    consent = told.order.consent
    order = KnownOrder(consent.order_id, told.order.kind, consent.member_id, agent.reservation_id(consent), consent.deadline)
    if connection.execute("SELECT 1 FROM orders WHERE order_id = ?", (order.order_id,)).fetchone() is None:
        ask_id, is_sandbox = 1 + secrets.randbits(52), agent.place.sandbox
        keep_order(connection, consent, order, agent.lines, speaker, wall_clock(), ask_id=ask_id, is_sandbox=is_sandbox)
        if not isinstance(told, VoidOfOrderBody):
            note_accepted(connection, order.order_id, order.reservation_id, time.time())
        return order
    known = order_named(connection, order.order_id)
    if known != order:
        raise TillRefused(409, "reference_reused", f"order {order.order_id} was asked before with other content: take another order id")
    return known


async def _post_standings(request: Request) -> Response:
    """How each of them stands; of what this agent was never told, a problem."""
    till_of(request, Scope.STORE)
    body, agent = await body_of(request, NamedItemsBody), agent_of(request)

    def act(connection: sqlite3.Connection) -> list[Item | None]:
        return [find(connection, each.kind, each.id) for each in body.items]

    found = await asyncio.wrap_future(agent.journal.submit(act))
    results = [
        {"problem": not_told(each.kind, each.id).view()} if item is None else view(item)
        for each, item in zip(body.items, found, strict=True)
    ]
    return JSONResponse({"results": results})
