"""A JSON-RPC client that keeps its connection, and processes that answer it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

ANSWERS_WITHIN_SECONDS = 60
POLL_SECONDS = 0.02


class RpcFailure(Exception):
    """An error answer."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.code = error.get("code")


class JsonRpc:
    def __init__(self, port: int, *, timeout_seconds: float = 600) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_seconds)

    def call(self, method: str, *params: Any) -> Any:
        """Raises RpcFailure, and OSError or HTTPException if nobody answers."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            self._connection.request("POST", "/", body, {"content-type": "application/json"})
            answer = json.loads(self._connection.getresponse().read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        if answer.get("error"):
            raise RpcFailure(answer["error"])
        return answer["result"]

    def send(self, raw: bytes) -> str:
        """A raw transaction; returns its hash."""
        return str(self.call("eth_sendRawTransaction", "0x" + raw.hex()))

    def close(self) -> None:
        self._connection.close()


class RpcProcess:
    """A node of any make, in a process of its own, from the moment it answers."""

    def __init__(self, command: Sequence[str], port: int, *, log: Path, folder: Path | None = None) -> None:
        self._log, self.port = log, port
        with log.open("ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder)
        self.rpc = JsonRpc(port)
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.kill()
            raise

    @property
    def cpu_seconds(self) -> float:
        """Of user and system, its threads included."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def __enter__(self) -> RpcProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.kill()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + ANSWERS_WITHIN_SECONDS
        while True:
            try:
                self.rpc.call("eth_chainId")
            except (OSError, http.client.HTTPException) as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"it does not answer: {self._log.read_text(errors='replace')[-500:]}") from error
                time.sleep(POLL_SECONDS)
            else:
                return

    def _end(self, number: int) -> None:
        self.rpc.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(ANSWERS_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def free_port() -> int:
    with socket.socket() as probing:
        probing.bind(("127.0.0.1", 0))
        return int(probing.getsockname()[1])
