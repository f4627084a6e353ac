"""The signer's routes, as the gateway asks them of a signer without tills: the same paths, bodies, answers and token."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio.to_thread
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.brand_agent.asking import is_gateway, read_body
from gateway.brand_agent.problems import TillRefused
from gateway.brand_signer import routes as signer
from gateway.brand_signer.json_server import BODY_BYTES_MAX, BadRequest
from gateway.brand_signer.sign_batch import BatchSigner

_LOG = logging.getLogger(__name__)


def routes(batch_signer: BatchSigner, brand_id: int) -> list[Route]:
    found = []
    for name, route in signer.routes_of(batch_signer, brand_id).items():
        method, _, path = name.partition(" ")
        found.append(Route(path, _asked(route, name in signer.PUBLIC), methods=[method]))
    return found


def _asked(route: Callable[..., tuple[int, dict[str, object]]], public: bool) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if not public and not is_gateway(request):
            return _refused(401, "not_authenticated", "the bearer token is missing or wrong")
        try:
            body = from_json(await read_body(request, BODY_BYTES_MAX), allow_inf_nan=False) if request.method == "POST" else None
        except TillRefused as large:
            return _refused(large.status, large.code, large.detail)
        except ValueError:
            return _refused(400, "bad_request", "the body is not JSON")
        try:
            status, told = await anyio.to_thread.run_sync(route, body)
        except BadRequest as wrong:
            return _refused(400, "bad_request", str(wrong))
        except Exception as fault:
            _LOG.exception("%s %s", request.method, request.url.path)
            return _refused(500, "failed", f"{type(fault).__name__}; see this program's log")
        return JSONResponse(told, status)

    return answer


def _refused(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": code, "message": message}, status)
