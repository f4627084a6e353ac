"""JSON-RPC over HTTP. Answers on loopback only, and to no page that a browser brought from elsewhere."""

import asyncio
import ipaddress
from concurrent.futures import ThreadPoolExecutor

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from node.rpc.dispatch import Dispatcher

BODY_BYTES_MAX = 5 * 1024 * 1024
WORKERS = 4  # threads that answer requests, so that a long call does not hold up a short one


def http_application(dispatcher: Dispatcher) -> Starlette:
    workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="rpc")

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
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(workers, dispatcher.respond, bytes(body))
        return Response(response, media_type="application/json")

    return Starlette(routes=[Route("/", answer, methods=["POST"])])


def is_loopback_name(host: str) -> bool:
    """Of a Host header or an address to listen on; a port may follow."""
    name = host.rsplit(":", 1)[0] if host.count(":") == 1 or (host.startswith("[") and "]:" in host) else host
    name = name.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _refusal(status: int, message: str) -> Response:
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": message}}
    return JSONResponse(body, status_code=status)
