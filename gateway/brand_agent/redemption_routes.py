"""What a till says of an authorization: capture, void, point refund, and a cancel where it does not know how its order stands."""

from __future__ import annotations

import sqlite3

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.bodies.redemption import CaptureBody, PointRefundBody, VoidBody
from gateway.brand_agent.asking import agent_of, answering, body_of, speaker_of
from gateway.brand_agent.item import ItemKind
from gateway.brand_agent.orders import REDEEM, is_soon, let_go, note_capture, order_named, order_reserved
from gateway.brand_agent.outbox import find
from gateway.brand_agent.problems import TillRefused
from gateway.brand_agent.statements import KnownOrder, Statement
from gateway.brand_agent.till_agent import TillAgent
from gateway.brand_agent.till_routes import keep
from gateway.brand_agent.tills import Scope
from gateway.values.calendar import wall_clock


def routes() -> list[Route]:
    of_reservation = "/v1/authorizations/{reservation_id}"
    return [
        Route(f"{of_reservation}/capture", answering(_post_capture), methods=["POST"]),
        Route(f"{of_reservation}/void", answering(_post_void), methods=["POST"]),
        Route(f"{of_reservation}/point-refunds", answering(_post_point_refund), methods=["POST"]),
        Route("/v1/orders/{order_id:path}/cancel", answering(_post_cancel), methods=["POST"]),
    ]


async def _post_capture(request: Request) -> Response:
    """Refused after the deadline, which in a sandbox is in simulated time. A till alone hears that in time: what a store forwards it took
    in time itself, and may be on the ledger."""
    speaker = speaker_of(request, Scope.REDEMPTIONS)
    body, reservation_id, agent = await body_of(request, CaptureBody), _reservation_id(request), agent_of(request)
    late: list[str] = []

    def said(connection: sqlite3.Connection) -> Statement:
        order, now = order_reserved(connection, reservation_id), wall_clock()
        is_new = find(connection, ItemKind.CAPTURE, body.capture_id) is None
        statement = capture_told(connection, agent, body, order)
        if is_new and not agent.place.sandbox and now > order.deadline:
            raise TillRefused(409, "deadline_passed", "the reservation is over: ask the member for points again", deadline=order.deadline)
        if agent.forwarder.is_away or (not agent.place.sandbox and is_soon(order.deadline, now)):
            late.append("may_miss_deadline")
        return statement

    return await keep(request, speaker, said, late)


async def _post_void(request: Request) -> Response:
    speaker = speaker_of(request, Scope.REDEMPTIONS)
    body, reservation_id, agent = await body_of(request, VoidBody), _reservation_id(request), agent_of(request)

    def said(connection: sqlite3.Connection) -> Statement:
        return void_told(connection, agent, body, order_reserved(connection, reservation_id))

    return await keep(request, speaker, said)


async def _post_point_refund(request: Request) -> Response:
    speaker = speaker_of(request, Scope.REDEMPTIONS)
    body, reservation_id, agent = await body_of(request, PointRefundBody), _reservation_id(request), agent_of(request)

    def said(connection: sqlite3.Connection) -> Statement:
        return agent.of_order(connection, body, order_reserved(connection, reservation_id))

    return await keep(request, speaker, said)


async def _post_cancel(request: Request) -> Response:
    """From then on nothing is signed for the order; what was authorized for it is let go, if anything was."""
    speaker = speaker_of(request, Scope.REDEMPTIONS)
    body, order_id, agent = await body_of(request, VoidBody), str(request.path_params["order_id"]), agent_of(request)

    def said(connection: sqlite3.Connection) -> Statement:
        return let_go_told(connection, agent, body, order_named(connection, order_id))

    return await keep(request, speaker, said)


def capture_told(connection: sqlite3.Connection, agent: TillAgent, body: CaptureBody, order: KnownOrder) -> Statement:
    """Raises TillRefused, as the next."""
    if find(connection, ItemKind.CAPTURE, body.capture_id) is None:
        note_capture(connection, order, body.capture_id)
    return agent.of_order(connection, body, order)


def void_told(connection: sqlite3.Connection, agent: TillAgent, body: VoidBody, order: KnownOrder) -> Statement:
    let_go(connection, order, body.void_id)
    return agent.of_order(connection, body, order)


def let_go_told(connection: sqlite3.Connection, agent: TillAgent, body: VoidBody, order: KnownOrder) -> Statement:
    if order.kind == REDEEM:
        told = "its points are taken at once or not: ask again under the same id, and give them back by a point refund"
        raise TillRefused(409, "not_in_one_step", f"order {order.order_id}: {told}", reservation_id=order.reservation_id)
    return void_told(connection, agent, body, order)


def _reservation_id(request: Request) -> str:
    return str(request.path_params["reservation_id"]).lower()
