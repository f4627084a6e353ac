"""What tills say and the agent takes on itself: it is on disk when they are answered, and goes to the gateway by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.bodies.purchases import PaymentRefundBody, PurchaseBody, RefundFailureBody
from gateway.brand_agent.asking import agent_of, answering, body_of, speaker_of
from gateway.brand_agent.item import Item, ItemKind, ItemState, Speaker
from gateway.brand_agent.outbox import find
from gateway.brand_agent.problems import TillRefused
from gateway.brand_agent.statements import Statement, payment_refund, refund_failure, sale
from gateway.brand_agent.till_agent import TillAgent
from gateway.brand_agent.tills import Scope
from gateway.values.calendar import wall_clock
from gateway.values.references import BY_EVIDENCE

SCOPE_OF = {
    ItemKind.PURCHASE: Scope.SALES,
    ItemKind.PAYMENT_REFUND: Scope.PAYMENT_REFUNDS,
    ItemKind.REFUND_FAILURE: Scope.PAYMENT_REFUNDS,
    ItemKind.CAPTURE: Scope.REDEMPTIONS,
    ItemKind.VOID: Scope.REDEMPTIONS,
    ItemKind.POINT_REFUND: Scope.REDEMPTIONS,
}


def routes() -> list[Route]:
    return [
        Route("/v1/purchases", answering(_post_purchase), methods=["POST"]),
        Route("/v1/purchases/{external_id:path}", answering(_shown(ItemKind.PURCHASE)), methods=["GET"]),
        Route("/v1/payment-refunds", answering(_post_payment_refund), methods=["POST"]),
        Route("/v1/payment-refunds/{refund_id:path}/failure", answering(_post_refund_failure), methods=["POST"]),
        Route("/v1/payment-refunds/{external_id:path}", answering(_shown(ItemKind.PAYMENT_REFUND)), methods=["GET"]),
        Route("/v1/items/{kind}/{external_id:path}", answering(_item), methods=["GET"]),
    ]


async def keep(
    request: Request, speaker: Speaker, statement: Callable[[sqlite3.Connection], Statement], warnings: Sequence[str] = ()
) -> Response:
    """Journals what a till said; 202 with how it stands, and the same again for the same again. `warnings` may come while it is written."""
    agent = agent_of(request)

    def act(connection: sqlite3.Connection) -> tuple[Item, bool]:
        return statement(connection).keep(connection, agent.lines, speaker, wall_clock())

    item, again = await asyncio.wrap_future(agent.journal.submit(act))
    if not again:
        agent.forwarder.wake()
    told = view(item) | ({"warnings": list(warnings)} if warnings else {})
    return JSONResponse(told, 202, {"Idempotent-Replayed": "true"} if again else None)


def view(item: Item) -> dict[str, Any]:
    """`promise` of a sale's points: promised by the brand's own rules, or estimated, and then the gateway's answer is awaited."""
    shown: dict[str, Any] = {"kind": item.kind, "id": item.external_id, "state": item.state, "outcome": item.outcome}
    shown |= {"reason": item.reason, "detail": item.detail}
    if item.kind is ItemKind.PURCHASE:
        shown |= {"points": item.points, "promise": "estimated" if item.points is None else "promised"}
    return shown | {"operation_id": item.operation_id}


def sale_told(agent: TillAgent, body: PurchaseBody) -> Statement:
    """Raises TillRefused, as the next."""
    _check_own("payment_id", body.payment_id)
    return sale(body, agent.place.brand_id, agent.promised(body))


def payment_refund_told(body: PaymentRefundBody) -> Statement:
    _check_own("payment_id", body.payment_id)
    _check_own("refund_id", body.refund_id)
    return payment_refund(body)


def refund_failure_told(connection: sqlite3.Connection, refund_id: str, body: RefundFailureBody) -> Statement:
    _check_own("refund_id", refund_id)
    return refund_failure(refund_id, body, connection)


async def _post_purchase(request: Request) -> Response:
    speaker = speaker_of(request, Scope.SALES)
    said = sale_told(agent_of(request), await body_of(request, PurchaseBody))
    return await keep(request, speaker, lambda _: said)


async def _post_payment_refund(request: Request) -> Response:
    speaker = speaker_of(request, Scope.PAYMENT_REFUNDS)
    said = payment_refund_told(await body_of(request, PaymentRefundBody))
    return await keep(request, speaker, lambda _: said)


async def _post_refund_failure(request: Request) -> Response:
    speaker = speaker_of(request, Scope.PAYMENT_REFUNDS)
    body, refund_id = await body_of(request, RefundFailureBody), str(request.path_params["refund_id"])
    return await keep(request, speaker, lambda connection: refund_failure_told(connection, refund_id, body))


def _check_own(field: str, external_id: str) -> None:
    """What another brand's evidence says is not a till's to say."""
    if external_id.startswith(BY_EVIDENCE):
        raise TillRefused(
            422, "invalid", f"{field} must not begin with {BY_EVIDENCE}: another brand's evidence stands under such ids", field=field
        )


def not_told(kind: ItemKind, external_id: str) -> TillRefused:
    return TillRefused(404, "not_found", f"this agent was told of no {kind} {external_id}")


def _shown(kind: ItemKind) -> Callable[[Request], Any]:
    async def show(request: Request) -> Response:
        return await _stands(request, kind, str(request.path_params["external_id"]))

    return show


def named_item(request: Request) -> tuple[ItemKind, str]:
    """Raises TillRefused."""
    kind = str(request.path_params["kind"])
    if kind not in tuple(ItemKind):
        raise TillRefused(404, "not_found", f"there is no such kind: take one of {', '.join(ItemKind)}")
    return ItemKind(kind), str(request.path_params["external_id"])


async def _item(request: Request) -> Response:
    return await _stands(request, *named_item(request))


async def _stands(request: Request, kind: ItemKind, external_id: str) -> Response:
    speaker_of(request, SCOPE_OF[kind])
    found = await asyncio.wrap_future(agent_of(request).journal.submit(lambda connection: find(connection, kind, external_id)))
    if found is None:
        raise not_told(kind, external_id)
    return JSONResponse(view(found), 200 if found.state is ItemState.ENDED else 202)
