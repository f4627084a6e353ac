"""A replica in a process of its own, and a primary that lies: a real node behind a proxy that changes what it answers."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.node.running_node import RunningNode, node_process


@dataclass
class RunningReplica(RunningNode):
    """`arguments` name the primary."""

    def start(self) -> RunningReplica:
        self.process = node_process("run", "--data", str(self.data), "--port", "0", *self.arguments)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the replica did not start: {self.process.communicate()[1]}"
        self.ready = json.loads(line)
        self.client = httpx.Client(base_url=self.url, timeout=60)
        return self

    def wait_for_block(self, number: int) -> None:
        while int(self.call("eth_blockNumber"), 16) < number:
            pass

    def refusal(self) -> str:
        """Waits until the replica gives up; returns what it says."""
        assert self.process is not None
        assert self.client is not None
        self.client.close()
        errors = self.process.communicate(timeout=60)[1]
        assert self.process.returncode == 1, errors
        self.process = None
        return errors


def replica_of(url: str, *further: str) -> tuple[str, ...]:
    return ("--follow", url, *further)


class Withheld(Exception):
    """Raised by a lie: this request is answered with an error."""


class Instead(Exception):
    """Raised by a lie: these bytes are the whole answer."""


class Trickle(Exception):
    """Raised by a lie: after these bytes of the response a byte every tenth of a second follows, for ever."""


Lie = Callable[[str, list[Any], Any], Any]


@contextmanager
def lying(url: str, lie: Lie, credentials: str | None = None) -> Iterator[str]:
    """The address of a proxy before the node at `url`; `lie` gets method, params and the true result, and gives the answer.

    `credentials` (user:password) are asked for by HTTP's basic authentication.
    """
    client = httpx.Client(timeout=60)
    over = threading.Event()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if credentials and self.headers["authorization"] != "Basic " + base64.b64encode(credentials.encode()).decode():
                self.send_error(401)
                return
            answers = client.post(url, content=body, headers={"content-type": "application/json"}).json()
            try:
                for request, answer in zip(json.loads(body), answers, strict=True):
                    self._alter(request, answer)
                content = json.dumps(answers).encode()
            except Instead as other:
                content = other.args[0]
            except Trickle as trickle:
                self._trickle(trickle.args[0])
                return
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _alter(self, request: dict[str, Any], answer: dict[str, Any]) -> None:
            try:
                if "result" in answer:
                    answer["result"] = lie(request["method"], request["params"], answer["result"])
            except Withheld:
                del answer["result"]
                answer["error"] = {"code": -32000, "message": "not for you"}

        def _trickle(self, beginning: bytes) -> None:
            try:
                self.wfile.write(beginning)
                while not over.wait(0.1):
                    self.wfile.write(b" ")
            except OSError:  # the other side has had enough
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        client.close()
