"""A node that is killed and comes back: its watchers connect and subscribe again, and see the blocks sealed since."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from tests.conformance.clients.conftest import OWNER
from tests.conformance.clients.outside import HERE, eventually, need_nodejs_packages
from tests.node.running_node import RunningNode, throwaway_account

pytestmark = pytest.mark.nodejs
SENDER = throwaway_account("operator")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("client", ["viem", "ethers"])
def test_a_watcher_goes_on_after_the_node_was_killed(client: str, tmp_path: Path) -> None:
    need_nodejs_packages()
    arguments = ("--operator", SENDER.address, "--operator", OWNER, "--port", str(_free_port()))
    seen = tmp_path / "seen"
    with RunningNode(tmp_path / "data", arguments) as node, seen.open("w") as file:
        watcher = subprocess.Popen(["node", str(HERE / f"{client}_watch.mjs"), node.url.replace("http", "ws")], stdout=file)
        try:
            eventually(lambda: "watching" in seen.read_text(), "the watch")
            eventually(lambda: node.send(SENDER, to=OWNER) and _numbers(seen), "a block")
            node.kill()
            node.start()
            eventually(lambda: node.send(SENDER, to=OWNER) and _numbers(seen)[-1] == _head(node), "a block after the restart")
            assert watcher.poll() is None
        finally:
            watcher.kill()
            watcher.wait()
    assert _numbers(seen) == sorted(set(_numbers(seen))), "each block once, in order"


def _numbers(seen: Path) -> list[int]:
    return [int(line) for line in seen.read_text().split() if line.isdigit()]


def _head(node: RunningNode) -> int:
    return int(node.call("eth_blockNumber"), 16)
