"""A disk that takes no more: named, nothing acknowledged that is not kept, reads go on, and a restart with room goes on from there."""

import resource
from pathlib import Path

import pytest

from tests.node.cell_contract import CREATION, word
from tests.node.running_node import RpcFailure, RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
FULL_BYTES = 400_000  # a limit on the size of files stands in for the full disk


def test_a_full_disk_refuses_writes_by_name_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    node = RunningNode(tmp_path / "data", ("--operator", OPERATOR.address)).start()
    assert node.process is not None
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (FULL_BYTES, FULL_BYTES))
    cell = node.send(OPERATOR, data=CREATION)["contractAddress"]
    acknowledged = [node.send(OPERATOR, to=cell, data=word(1))]
    with pytest.raises(RpcFailure, match="cannot be written") as refused:
        _send_until_refused(node, cell)
    assert refused.value.code == -32000
    head = node.call("eth_getBlockByNumber", "latest", True)
    acknowledged += [node.call("eth_getTransactionReceipt", item["hash"]) for item in head["transactions"]]
    assert node.call("eth_call", {"to": cell}, acknowledged[0]["blockNumber"]) == word(1)
    node.kill()
    with node:
        assert node.call("eth_getBlockByNumber", "latest", True) == head
        for receipt in acknowledged:
            assert node.call("eth_getTransactionReceipt", receipt["transactionHash"]) == receipt
        assert node.send(OPERATOR, to=cell, data=word(2))["status"] == "0x1"


def _send_until_refused(node: RunningNode, cell: str) -> None:
    """Large transactions, one a block, without waiting for receipts that a full disk never gives."""
    nonce = node.nonce(OPERATOR)
    while True:
        node.call("eth_sendRawTransaction", node.signed(OPERATOR, nonce=nonce, to=cell, data=b"\x01" * 40_000, gas=2_000_000))
        nonce += 1
