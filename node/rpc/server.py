"""JSON-RPC over HTTP and WebSocket on one port. Answers on loopback only, and to no page that a browser brought from elsewhere."""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from node.chain.budget import Budget
from node.rpc.answering import Answering
from node.rpc.dispatch import Dispatcher
from node.rpc.lanes import Lanes
from node.rpc.methods import method_table
from node.rpc.ports import NodeView
from node.rpc.websocket import Connection

BODY_BYTES_MAX = 5 * 1024 * 1024
HEAD_BYTES_MAX = 32 * 1024
SOCKETS_MAX = 256
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]*)?")


def application(node: NodeView, new_budget: Callable[[], Budget] = Budget) -> Starlette:
    dispatcher = Dispatcher(method_table(node), new_budget)
    lanes = Lanes()
    answered = Answering(dispatcher, lanes, node.history.new_head)

    async def answer(request: Request) -> Response:
        if not is_loopback_name(request.headers.get("host", "")):
            return _refusal(403, "this host name is not served")
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            return _refusal(415, "content type must be application/json")
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    return _refusal(413, f"request body too large: at most {BODY_BYTES_MAX} bytes")
        except ClientDisconnect:
            return Response(status_code=400)
        return Response(await answered(bytes(body)), media_type="application/json")

    sockets_open = 0

    async def converse(socket: WebSocket) -> None:
        nonlocal sockets_open
        if not _may_connect(socket) or sockets_open >= SOCKETS_MAX:
            await socket.close()  # before it was accepted: the client sees 403
            return
        sockets_open += 1
        try:
            await Connection(socket, dispatcher, node, lanes).serve()
        finally:
            sockets_open -= 1

    return Starlette(routes=[Route("/", answer, methods=["POST"]), WebSocketRoute("/", converse)])


def is_loopback_name(host: str) -> bool:
    """Of a Host header or an address to listen on; a port may follow, but not on a bare IPv6 address."""
    found = _HOST.fullmatch(host.lower())
    name = host if found is None else found[1].strip("[]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _may_connect(socket: WebSocket) -> bool:
    """A browser lets any page open a WebSocket here and says in Origin where that page came from; others send none."""
    origin = socket.headers.get("origin")
    from_here = origin is None or is_loopback_name(urlsplit(origin).netloc)
    return from_here and is_loopback_name(socket.headers.get("host", ""))


def _refusal(status: int, message: str) -> Response:
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": message}}
    return JSONResponse(body, status_code=status)
