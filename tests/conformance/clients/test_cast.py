"""cast's command lines against the same three endpoints: deploy, write, read, logs, watch, receipt, proof, refusals."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.clients.conftest import KEY, OWNER
from tests.conformance.clients.outside import Endpoint, eventually, foundry
from tests.conformance.clients.scenario import ARTIFACT, LOT, MEMBER, OWNER_SLOT, POINTS, UNAUTHORIZED_NOBODY, check_proof

pytestmark = pytest.mark.nodejs
TRANSFER = "TransferSingle(address indexed,address indexed,address indexed,uint256,uint256)"
STRANGER = "0x" + "5d" * 32


class Cast:
    def __init__(self, url: str) -> None:
        self.url, self.program = url, str(foundry("cast"))

    def __call__(self, command: str, *arguments: str) -> str:
        done = self._run(command, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def json(self, command: str, *arguments: str) -> Any:
        return json.loads(self(command, "--json", *arguments))

    def refused(self, command: str, *arguments: str) -> tuple[int, str]:
        """Code and the rest of the message."""
        done = self._run(command, *arguments)
        assert done.returncode != 0, done.stdout
        found = re.search(r"error code (-?\d+): (.*)", done.stderr, re.DOTALL)
        assert found is not None, done.stderr
        return int(found[1]), found[2].lower()

    def _run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        line = [self.program, command, "--rpc-url", self.url, *arguments]
        return subprocess.run(line, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def cast(url: str) -> Cast:
    return Cast(url)


@pytest.fixture
def ledger(cast: Cast) -> str:
    bytecode = json.loads(ARTIFACT.read_text())["bytecode"]
    receipt = cast.json("send", "--private-key", KEY, "--create", bytecode)
    assert receipt["status"] == "0x1"
    return str(receipt["contractAddress"])


def test_cast_deploys_writes_reads_and_proves(cast: Cast, ledger: str, endpoint: Endpoint) -> None:
    assert int(cast("chain-id")) == int(endpoint.call("eth_chainId"), 16)
    assert cast("code", ledger) == json.loads(ARTIFACT.read_text())["deployedBytecode"]
    first = int(cast("block-number"))
    watch = cast("rpc", "eth_newBlockFilter").strip('"')
    receipts = [_issue(cast, ledger, points) for points in POINTS]
    assert [receipt["status"] for receipt in receipts] == ["0x1", "0x1"]
    hashes = [endpoint.call("eth_getBlockByNumber", hex(number), False)["hash"] for number in (first + 1, first + 2)]
    assert cast.json("rpc", "eth_getFilterChanges", watch) == hashes == [receipt["blockHash"] for receipt in receipts]

    balance = ("balanceOf(address,uint256)(uint256)", MEMBER, str(LOT))
    assert cast("call", ledger, *balance) == str(sum(POINTS))
    assert cast("call", "--block", str(first), ledger, *balance) == "0"
    assert cast("call", ledger, "owner()(address)") == OWNER
    assert int(cast("storage", ledger, str(OWNER_SLOT)), 16) == int(OWNER, 16)
    assert cast.json("receipt", receipts[0]["transactionHash"])["gasUsed"] == receipts[0]["gasUsed"]
    assert int(cast("estimate", "--from", OWNER, ledger, *_issue_arguments(1))) > 21_000

    logs = cast.json("logs", "--from-block", str(first), "--address", ledger, TRANSFER)
    assert [log["transactionHash"] for log in logs] == [receipt["transactionHash"] for receipt in receipts]
    assert [int(log["data"][66:], 16) for log in logs] == POINTS

    number = int(receipts[-1]["blockNumber"], 16)
    proof = cast.json("proof", "--block", str(number), ledger, str(OWNER_SLOT))
    assert proof["address"] == ledger
    root = endpoint.call("eth_getBlockByNumber", hex(number), False)["stateRoot"]
    check_proof({**proof, "block": number, "stateRoot": root, "slot": proof["storageProof"][0]}, endpoint)


def test_cast_streams_logs_as_they_come(cast: Cast, ledger: str, tmp_path: Path) -> None:
    if not cast.url.startswith("ws"):
        pytest.skip("cast streams over WebSocket alone")
    line = [cast.program, "logs", "--rpc-url", cast.url, "--subscribe", "--address", ledger, TRANSFER]
    output = tmp_path / "logs"
    with output.open("w") as file, subprocess.Popen(line, stdout=file) as stream:
        try:
            # cast gives no word when it has subscribed: writes go on until one is seen
            eventually(lambda: _issue(cast, ledger, 1) and output.read_text(), "a first log")
            after = _issue(cast, ledger, 77)
            assert eventually(lambda: after["transactionHash"] in output.read_text(), "the log of the next transaction")
        finally:
            stream.kill()


def test_cast_is_refused_with_geths_codes(cast: Cast, ledger: str, endpoint: Endpoint) -> None:
    code, message = cast.refused("call", ledger, *_issue_arguments(1))
    assert (code, UNAUTHORIZED_NOBODY in message) == (3, True)
    plain = ("--gas-limit", "21000", "--gas-price", "2000000000", "--priority-gas-price", "1", MEMBER)
    too_low = cast.refused("send", "--private-key", KEY, "--nonce", "0", *plain)
    poor = cast.refused("send", "--private-key", STRANGER, "--nonce", "0", "--value", "1", *plain)
    assert "nonce too low" in too_low[1]
    assert "insufficient funds for gas * price + value" in poor[1]
    unknown = cast.refused("rpc", "eth_noSuchThing")[0]
    if endpoint.name == "anvil":
        assert {too_low[0], poor[0]} == {-32003}
        assert unknown in (-32601, -32602)  # the latter over WebSocket
    else:
        assert (too_low[0], poor[0], unknown) == (-32000, -32000, -32601)


def _issue_arguments(points: int) -> tuple[str, ...]:
    return ("issue(address,uint256,uint256)", MEMBER, str(LOT), str(points))


def _issue(cast: Cast, ledger: str, points: int) -> dict[str, Any]:
    receipt: dict[str, Any] = cast.json("send", "--private-key", KEY, ledger, *_issue_arguments(points))
    return receipt
