"""A small JSON server on loopback for programs that hold keys: a bearer token, a bound on the body, nothing else."""

from __future__ import annotations

import hmac
import ipaddress
import json
import socket
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gateway.foreign.reading import read_json

BODY_BYTES_MAX = 16 * 1024 * 1024
IDLE_SECONDS = 60

Answer = tuple[int, dict[str, Any]]
Route = Callable[[Any], Answer]
"""Takes the parsed body (None for a GET) and gives status and JSON; raises BadRequest."""


class BadRequest(Exception):
    """The body is not what this route takes."""


class CannotListen(OSError):
    """The address of the settings is taken or is none of this machine."""


class JsonServer(ThreadingHTTPServer):
    """Serves `routes` by "METHOD /path"; those in `public` need no token."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], token: str, routes: Mapping[str, Route], public: frozenset[str] = frozenset()) -> None:
        self.token = token
        self.routes = routes
        self.public = public
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        host, port = self.socket.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class JsonServer6(JsonServer):
    """The same on ::1."""

    address_family = socket.AF_INET6


def serve_on(host: str, port: int, token: str, routes: Mapping[str, Route], public: frozenset[str] = frozenset()) -> JsonServer:
    """A bound server; port 0 takes a free one. Refuses any address but loopback."""
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"{host} is not a loopback address")
    kind = JsonServer6 if ":" in host else JsonServer
    try:
        return kind((host, port), token, routes, public)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no port has this number"
        raise CannotListen(f"cannot listen on {host}, port {port} ({reason}): end what uses it, or set another port") from error


class _Handler(BaseHTTPRequestHandler):
    server: JsonServer
    protocol_version = "HTTP/1.1"
    server_version = "Splittally"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        name = f"{method} {self.path}"
        if name not in self.server.public and not self._has_token():
            self._refuse(401, "not_authenticated", "the bearer token is missing or wrong")
        elif name not in self.server.routes:
            self._refuse(404, "not_found", f"there is no {name[:200]}")
        else:
            try:
                body = self._body() if method == "POST" else None
                status, answer = self.server.routes[name](body)
            except BadRequest as wrong:
                self._refuse(400, "bad_request", str(wrong))
            except _TooLarge as wrong:
                self._refuse(413, "too_large", str(wrong))
            except Exception as fault:
                self.log_error("%s: %r", name, fault)
                self._refuse(500, "failed", f"{type(fault).__name__}; see this program's log")
            else:
                self._answer(status, answer)

    def _has_token(self) -> bool:
        given = self.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, f"Bearer {self.server.token}".encode())

    def _body(self) -> Any:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise BadRequest("Content-Length is missing")
        if int(length) > BODY_BYTES_MAX:
            raise _TooLarge(f"a body has at most {BODY_BYTES_MAX} bytes")
        try:
            return read_json(self.rfile.read(int(length)))
        except ValueError:
            raise BadRequest("the body is not JSON") from None

    def _refuse(self, status: int, code: str, message: str) -> None:
        """The body may be unread: the connection ends with the answer."""
        self.close_connection = True
        self._answer(status, {"error": code, "message": message})

    def _answer(self, status: int, answer: Mapping[str, Any]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Answers are not logged: the journal tells what was signed."""


class _TooLarge(Exception):
    pass
