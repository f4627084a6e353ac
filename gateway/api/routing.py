"""The API's routes: bodies are parsed within bounds, and a write that waits for the ledger holds no thread meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from gateway.api.idempotency import NotOnLedgerYet, Write
from gateway.api.json_bodies import JsonRequest


class BoundedRoute(APIRoute):
    """A route that has a Write is run again once what it waits for has come: its `once` then gives what was made the first time.

    What a route does is done in a thread; its answer is written where it is sent, which costs less than another thread.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if "write" in endpoint.__annotations__:
            endpoint = _waiting(endpoint)
        elif not iscoroutinefunction(endpoint):
            endpoint = _threaded(endpoint)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_bounded(request: Request) -> Response:
            return await handle(JsonRequest(request.scope, request.receive, request._send))

        return handle_bounded


Router = partial(APIRouter, route_class=BoundedRoute)


def _threaded(endpoint: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(endpoint)
    async def answer(**given: Any) -> Any:
        return await run_in_threadpool(endpoint, **given)

    return answer


def _waiting(endpoint: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(endpoint)
    async def answer(**given: Any) -> Any:
        write: Write = given["write"]
        while True:
            try:
                return await run_in_threadpool(endpoint, **given)
            except NotOnLedgerYet as waiting:
                await write.wait_for(waiting)

    return answer
