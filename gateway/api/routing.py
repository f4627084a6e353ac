"""The API's routes: found without trying all, bodies parsed within bounds, and a write that waits for the ledger holds no thread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.datastructures import QueryParams
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from gateway.api.idempotency import NotOnLedgerYet, Write
from gateway.api.json_bodies import JsonRequest
from gateway.api.parameters import known_parameters, refuse_others


class BoundedRoute(APIRoute):
    """A route that has a Write is run again once what it waits for has come: its `once` then gives what was made the first time.

    What a route that is no coroutine does is done in a thread; answers are written where they are sent: another thread would cost more.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if not iscoroutinefunction(endpoint):
            endpoint = _waiting(endpoint) if "write" in endpoint.__annotations__ else _threaded(endpoint)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_bounded(request: Request) -> Response:
            return await handle(JsonRequest(request.scope, request.receive, request._send))

        return handle_bounded


def _name_of(route: APIRoute) -> str:
    return route.name


Router = partial(APIRouter, route_class=BoundedRoute, generate_unique_id_function=_name_of)
_NONE: tuple[Match, Scope] = (Match.NONE, {})


class RoutesByPlace(BaseRoute):
    """A path is looked for among the routes that begin with the same segments, up to two: an app tries each of some hundred routes in
    turn, which costs more than most answers. Query parameters that the route does not know are refused."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._at: defaultdict[tuple[str, ...], list[Route]] = defaultdict(list)
        for route in routes:
            assert isinstance(route, Route)
            self._at[tuple(one for one in _first_two(route.path) if not one.startswith("{"))].append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return _NONE
        segments, found = _first_two(scope["path"]), _NONE
        for place in (segments, segments[:1]):
            for route in self._at.get(place, ()):
                match, more = route.matches(scope)
                if match is Match.FULL:
                    return match, {**more, "route": route}
                if match is Match.PARTIAL and found is _NONE:
                    found = match, {**more, "route": route}
        return found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        route: Route = scope["route"]
        if scope["query_string"] and isinstance(route, APIRoute) and scope["method"] in (route.methods or ()):
            refuse_others(QueryParams(scope["query_string"]), known_parameters(route.dependant))
        await route.handle(scope, receive, send)


def _first_two(path: str) -> tuple[str, ...]:
    return tuple(path.split("/", 3)[1:3])


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
