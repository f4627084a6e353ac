"""A gateway in a process of its own over a prepared database, for those who attack it with sockets. Its node is away: what waits, waits."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.builders.databases import url_of
from tests.builders.offline_coalition import OfflineCoalition
from tests.node.running_node import ROOT

MEGABYTE = 2**20
RSS_MAX_MB = 500
HONEST_SECONDS = 2.0


@dataclass
class ServedGateway:
    """`attacker` and `honest` are tokens of two brands; `member_id` has a page of points to read."""

    process: subprocess.Popen[str]
    url: str
    attacker: str
    honest: str
    operator: str
    member_id: str
    quiet_seconds: float = 0.0
    slowest: list[float] = field(default_factory=list)

    def socket(self) -> socket.socket:
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        return socket.create_connection((parts.hostname, parts.port), timeout=30)

    def unreading_socket(self) -> socket.socket:
        """With a window that little of an answer fits into. Who writes too much to it soon gives up."""
        parts, made = urlsplit(self.url), socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        made.settimeout(0.5)
        made.connect((parts.hostname, parts.port))
        return made

    def asked(self, head: str, body: bytes = b"", token: str | None = None) -> socket.socket:
        """A socket on which this request was sent; `head` is the request line and, if any, more headers."""
        line, *more = head.split("\n")
        key = [] if token is None else [f"Authorization: Bearer {token}"]
        opened = self.socket()
        opened.sendall("\r\n".join([f"{line} HTTP/1.1", "Host: localhost", *key, *more, "", ""]).encode() + body)
        return opened

    def read(self) -> float:
        """How long an honest brand's read takes; it has to succeed. A new connection each time, as a new till has."""
        began = time.monotonic()
        answer = httpx.get(f"{self.url}/v1/members/{self.member_id}/points", headers=bearer(self.honest), timeout=60)
        assert answer.status_code == 200, answer.text
        return time.monotonic() - began

    def be_quiet(self) -> None:
        """Takes the measure of the machine as it is now."""
        self.quiet_seconds = max(self.read() for _ in range(3))

    def reads_beside(self, seconds: float) -> None:
        """Reads for so long; each has to be answered in time, which on a machine with other work is ten times what it takes when quiet."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.slowest.append(self.read())
            assert self.slowest[-1] < max(HONEST_SECONDS, 10 * self.quiet_seconds), f"an honest read took {self.slowest[-1]:.1f} s"

    def status(self, name: str) -> int:
        """A number of /proc/<pid>/status: the largest of the gateway's processes."""
        return largest_status(self.process.pid, name)

    def check_memory(self) -> None:
        most = self.status("VmHWM") / 1024
        assert most < RSS_MAX_MB, f"the gateway took {most:.0f} MB"


@contextmanager
def served_gateway(folder: Path, **settings: Any) -> Iterator[ServedGateway]:
    coalition = OfflineCoalition(folder)
    try:
        for brand_id in (1, 2):
            coalition.brand(brand_id)
        member_id, tokens = coalition.shopper().member_id, dict(coalition.tokens)
        database_url = url_of(coalition.database)
    finally:
        coalition.close()
    given = {"data_dir": folder / "gateway", "database_url": database_url, "rpc_url": "http://127.0.0.1:9", **settings}
    environment = {**os.environ, **{f"SPLITTALLY_{name.upper()}": str(value) for name, value in given.items()}}
    command = [sys.executable, "-m", "gateway", "serve", "--port", "0", "--json"]
    with (
        (folder / "gateway.log").open("w") as log,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            served = ServedGateway(process, url, tokens["brand:1"], tokens["brand:2"], tokens["operator"], member_id)
            _await_answers(url)
            yield served
            assert process.poll() is None, "the gateway ended"
        finally:
            process.terminate()
            process.wait(60)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def largest_status(pid: int, name: str) -> int:
    """A number of /proc/<pid>/status: the largest of the process and its children."""
    lines = [line for each in (pid, *children_of(pid)) for line in Path(f"/proc/{each}/status").read_text().splitlines()]
    return max(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def status_of(answered: socket.socket) -> int:
    """The status of the answer on this socket; 0 where the connection ends without one."""
    try:
        start = answered.recv(64)
    except ConnectionResetError:
        return 0
    return int(start.split(b" ")[1]) if start else 0


@contextmanager
def one_connection(url: str) -> Iterator[HTTPConnection]:
    """One that is not opened again once the server has ended it."""
    made = HTTPConnection(urlsplit(url).netloc, timeout=30)
    made.connect()
    made.auto_open = 0
    try:
        yield made
    finally:
        made.close()


def status_on(kept: HTTPConnection, path: str, headers: Mapping[str, str]) -> int:
    """The status of a whole answer on this connection; 0 where it has ended."""
    try:
        kept.request("GET", path, headers=dict(headers))
        answer = kept.getresponse()
        answer.read()
    except (HTTPException, OSError):
        return 0
    return answer.status


def _await_answers(url: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(url)
