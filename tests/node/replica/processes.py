"""A replica in a process of its own, and a primary that lies: a real node behind a proxy that changes what it answers."""

from __future__ import annotations

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
        errors = self.process.communicate(timeout=60)[1]
        assert self.process.returncode == 1, errors
        self.process = None
        return errors


def replica_of(url: str, *further: str) -> tuple[str, ...]:
    return ("--follow", url, *further)


Lie = Callable[[str, list[Any], Any], Any]


@contextmanager
def lying(url: str, lie: Lie) -> Iterator[str]:
    """The address of a proxy before the node at `url`; `lie` gets method, params and the true result, and gives the answer."""
    client = httpx.Client(timeout=60)

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            answers = client.post(url, content=body, headers={"content-type": "application/json"}).json()
            for request, answer in zip(json.loads(body), answers, strict=True):
                if "result" in answer:
                    answer["result"] = lie(request["method"], request["params"], answer["result"])
            content = json.dumps(answers).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        client.close()
