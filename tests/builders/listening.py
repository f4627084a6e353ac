"""Somebody at a URL of this machine who notes what is brought, and answers what a test wants answered."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Answered = tuple[int, Mapping[str, str], bytes]
TAKEN: Answered = (202, {}, b'{"state": "journaled"}')
COUNTED: Answered = (200, {}, b'{"counted": true}')
NOT_COUNTED: Answered = (200, {}, b'{"counted": false}')


@dataclass
class Listener:
    """`answer` is asked after the request was noted. Who asks whether evidence was counted is told what `is_counted` says of it."""

    url: str
    answer: Callable[[], Answered]
    bodies: list[bytes] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)
    is_counted: Callable[[bytes], Answered] = lambda _: COUNTED


@contextmanager
def listening(answer: Callable[[], Answered] = lambda: TAKEN) -> Iterator[Listener]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/evidence/counted":
                found.asked.append(body)
                status, headers, content = found.is_counted(body)
            else:
                found.bodies.append(body)
                found.headers.append(dict(self.headers))
                status, headers, content = found.answer()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing of it is printed."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """Who asked is gone."""

    with Server(("127.0.0.1", 0), Handler) as server:
        found = Listener(f"http://127.0.0.1:{server.server_port}", answer)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield found
        finally:
            server.shutdown()
