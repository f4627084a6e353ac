"""Programs and packages nobody here wrote: where they are, and what happens to a test when they are not."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

HERE = Path(__file__).parent
PACKAGES = HERE / "node_modules"
ROOT = HERE.parents[2]


def foundry(program: str) -> Path:
    """The program of this machine's platform package."""
    found = sorted(PACKAGES.glob(f"@foundry-rs/{program}-*/bin/{program}"))
    if not found:
        _missing(program)
    return found[0]


def need_nodejs_packages() -> None:
    if not (PACKAGES / "viem").exists() or not (PACKAGES / "ethers").exists():
        _missing("viem and ethers")


def _missing(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} not installed: scripts/test installs the packages of tests/conformance/clients/package-lock.json")
    pytest.skip(f"{what} not installed: needs Node.js and npm")


@dataclass(frozen=True)
class Endpoint:
    """A node of whatever make, on loopback."""

    name: str
    url: str

    @property
    def websocket_url(self) -> str:
        return self.url.replace("http", "ws")

    def request(self, method: str, *params: Any) -> dict[str, Any]:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        return dict(httpx.post(self.url, json=body, timeout=60).json())

    def call(self, method: str, *params: Any) -> Any:
        answer = self.request(method, *params)
        assert "error" not in answer, answer
        return answer["result"]


@contextmanager
def anvil(*arguments: str, hardfork: str = "prague") -> Iterator[Endpoint]:
    """A running anvil on a free port."""
    command = [str(foundry("anvil")), "--port", "0", "--hardfork", hardfork, *arguments]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            address = eventually(lambda: _listening_at(output), "anvil's address")
            yield Endpoint("anvil", f"http://{address}")
        finally:
            process.kill()
            process.wait()


def _listening_at(output: IO[str]) -> str | None:
    output.seek(0)
    return next((line.split()[-1] for line in output if line.startswith("Listening on ") and line.endswith("\n")), None)


def run_script(name: str, *arguments: str, seconds: int = 240) -> dict[str, Any]:
    """What a client's script reports."""
    done = subprocess.run(["node", str(HERE / name), *arguments], capture_output=True, text=True, cwd=ROOT, timeout=seconds, check=False)
    assert done.returncode == 0, done.stderr[-4_000:]
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def eventually(found: Any, what: str, seconds: float = 30) -> Any:
    """Asks until there is an answer: other programs' processes give no word when they are ready."""
    end = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < end, f"never saw {what}"
        time.sleep(0.02)
    return answer
