"""Nodes forked from a process that has imported everything: each is a process of its own, and is there within a fraction of a second."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field

import httpx

from tests.node.running_node import ROOT, RunningNode

FORK = """
import json, os, sys
from node.__main__ import main
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)
        main(json.loads(line))
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


@dataclass
class ForkedNode(RunningNode):
    """As a RunningNode; `close` ends the process it is forked from."""

    parent: subprocess.Popen[str] = field(
        default_factory=lambda: subprocess.Popen(
            [sys.executable, "-c", FORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
    )
    child: int | None = None

    def start(self) -> ForkedNode:
        assert self.parent.stdin is not None
        arguments = ["run", "--data", str(self.data), "--port", "0", "--init", *self.arguments]
        self.parent.stdin.write(json.dumps(arguments) + "\n")
        self.parent.stdin.flush()
        self.child = int(self._line())
        self.ready = json.loads(self._line())
        self.client = httpx.Client(base_url=self.url, timeout=60)
        return self

    def close(self) -> None:
        self.parent.communicate(timeout=60)

    def _end(self, number: int) -> int:
        assert self.child is not None
        assert self.client is not None
        self.client.close()
        os.kill(self.child, number)
        assert self._line() == "ended\n"
        self.child = None
        return 0 if number == signal.SIGTERM else -number

    def __exit__(self, *_: object) -> None:
        if self.child is not None:
            self.kill()
        self.close()

    def _line(self) -> str:
        assert self.parent.stdout is not None
        line = self.parent.stdout.readline()
        assert line, "the process that nodes are forked from has ended"
        return line
