"""Serves the agent over HTTP/1.1, on loopback or over TLS, within the bounds of gateway/inbound."""

from __future__ import annotations

import socket

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.brand_agent import (
    evidence_routes,
    item_routes,
    passing,
    redemption_routes,
    refused_routes,
    signer_routes,
    status_routes,
    till_routes,
)
from gateway.brand_agent.agent import Agent
from gateway.brand_agent.problems import TillRefused
from gateway.brand_agent.till_agent import TillAgent
from gateway.brand_signer.json_server import IDLE_SECONDS, CannotListen
from gateway.inbound.connections import Cause, ConnectionBounds, RawAnswer, TlsFiles, bounded_server

_CONNECTIONS_MAX = 512
_HEAD_BYTES = 32 * 1024
_BOUNDS = ConnectionBounds(_CONNECTIONS_MAX, _HEAD_BYTES, 10.0, IDLE_SECONDS, 30.0, 10)


def application(agent: TillAgent) -> Starlette:
    """A store's agent serves tills alone."""
    tills = [*till_routes.routes(), *redemption_routes.routes(), *passing.routes()]
    tills += [*status_routes.routes(agent.client.NAME), *refused_routes.routes()]
    others = [status_routes.liveness()]
    if isinstance(agent, Agent):
        others = [*item_routes.routes(), *evidence_routes.routes(), *refused_routes.feed_routes()]
        others += signer_routes.routes(agent.signer, agent.place.brand_id)
    app = Starlette(
        routes=[*tills, *others],
        exception_handlers={HTTPException: _plain, Exception: _fault},
    )
    app.state.agent = agent
    return app


def bound_socket(host: str, port: int) -> socket.socket:
    """Listens already, so that a caller who reads the address finds it taking connections."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(_CONNECTIONS_MAX)
    except (OSError, OverflowError) as error:
        bound.close()
        reason = error.strerror if isinstance(error, OSError) else "no port has this number"
        raise CannotListen(f"cannot listen on {host}, port {port} ({reason}): end what uses it, or set another port") from error
    return bound


def url_of(bound: socket.socket, tls: TlsFiles | None) -> str:
    host, port = bound.getsockname()[:2]
    return f"http{'' if tls is None else 's'}://{f'[{host}]' if ':' in host else host}:{port}"


def serve(agent: TillAgent, bound: socket.socket) -> None:
    """Until SIGTERM or SIGINT; requests under way are answered first."""
    settings = bounded_server(application(agent), _BOUNDS, _REFUSALS, agent.tls)
    settings.lifespan = "off"
    uvicorn.Server(settings).run(sockets=[bound])


async def _plain(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
    return TillRefused(error.status_code, code, f"{error.detail}: docs/brand-agent.md lists what an agent serves").answer()


async def _fault(_request: Request, _error: Exception) -> Response:
    return TillRefused(500, "fault", "the agent has a fault, which is in its log: send the same again").answer()


def _raw(refused: TillRefused) -> RawAnswer:
    answer = refused.answer()
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return RawAnswer(answer.status_code, refused.code, headers, bytes(answer.body))


_REFUSALS = {
    Cause.HEAD_TOO_LARGE: _raw(TillRefused(431, "headers_too_large", f"request line and headers have at most {_HEAD_BYTES} bytes")),
    Cause.MALFORMED: _raw(TillRefused(400, "malformed_request", "this is no HTTP request")),
    Cause.TOO_MANY: _raw(TillRefused(503, "overloaded", "too many connections: try again in a few seconds")),
}
