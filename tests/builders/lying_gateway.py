"""A gateway that stands between a person and the honest one, passes everything on, and tells some of it otherwise."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

PASSED_ON = ("authorization", "idempotency-key", "content-type")


@contextmanager
def lying_gateway(honest_url: str, lies: Mapping[str, Callable[[Any], Any]], posted: list[str], closed: bool = False) -> Iterator[str]:
    """Its URL. `lies` by path: what the truth is made to. What is posted is told by its path, and passed on. A closed one tells nothing."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if closed:
                return self._send(403, {"code": "not_permitted", "detail": "not you"})
            answer = httpx.get(honest_url + self.path, headers=self._headers(), timeout=60)
            told = answer.json()
            return self._send(answer.status_code, lies[self.path](told) if self.path in lies else told)

        def do_POST(self) -> None:
            posted.append(self.path)
            body = self.rfile.read(int(self.headers["content-length"]))
            answer = httpx.post(honest_url + self.path, content=body, headers=self._headers(), timeout=60)
            self._send(answer.status_code, answer.json())

        def _headers(self) -> dict[str, str]:
            return {name: self.headers[name] for name in PASSED_ON if self.headers[name]}

        def _send(self, status: int, told: Any) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
