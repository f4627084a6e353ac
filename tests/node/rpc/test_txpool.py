"""What the pool shows while a sandbox node seals only on request."""

import json
from collections.abc import Iterator

import pytest
from websockets.sync.client import connect

from tests.node.running_node import FEES, RunningNode, throwaway_account

OPERATOR, SECOND = throwaway_account("operator"), throwaway_account("second operator")


@pytest.fixture
def paused(node: RunningNode) -> Iterator[RunningNode]:
    assert node.call("evm_setAutomine", False) is True
    yield node
    node.call("evm_mine")
    node.call("evm_setAutomine", True)


def _send(node: RunningNode, nonce: int, fee: int = 100) -> str:
    fees = {**FEES, "maxFeePerGas": fee, "maxPriorityFeePerGas": fee // 10}
    return str(node.call("eth_sendRawTransaction", node.signed(OPERATOR, nonce=nonce, to=OPERATOR.address, **fees)))


def test_what_waits_is_pending_and_what_waits_for_an_earlier_nonce_is_queued(paused: RunningNode) -> None:
    nonce = paused.nonce(OPERATOR)
    ready, gapped = _send(paused, nonce), _send(paused, nonce + 2)
    assert paused.call("txpool_status") == {"pending": "0x1", "queued": "0x1"}
    content = paused.call("txpool_content")
    assert content["pending"][OPERATOR.address][str(nonce)]["hash"] == ready
    assert content["queued"][OPERATOR.address][str(nonce + 2)]["hash"] == gapped
    assert paused.call("txpool_contentFrom", OPERATOR.address)["pending"] == content["pending"][OPERATOR.address]
    assert paused.call("txpool_contentFrom", SECOND.address) == {"pending": {}, "queued": {}}
    assert "0 wei + 200000 gas × 100 wei" in paused.call("txpool_inspect")["pending"][OPERATOR.address][str(nonce)]
    assert paused.call("eth_getTransactionReceipt", ready) is None
    block = paused.call("eth_getBlockByNumber", "pending", False)
    assert (block["transactions"], block["hash"]) == ([ready], None)
    assert int(block["number"], 16) == int(paused.call("eth_blockNumber"), 16) + 1
    assert paused.call("eth_getBlockTransactionCountByNumber", "pending") == "0x1"
    closing = _send(paused, nonce + 1)
    paused.call("evm_mine")
    assert [paused.call("eth_getTransactionReceipt", item)["transactionIndex"] for item in (ready, closing, gapped)] == [
        "0x0",
        "0x1",
        "0x2",
    ]
    assert paused.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}


def test_a_waiting_transaction_has_no_block_and_no_time_of_one(paused: RunningNode) -> None:
    nonce = paused.nonce(OPERATOR)
    with connect(paused.url.replace("http", "ws")) as socket:
        socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newPendingTransactions", True]}))
        socket.recv(timeout=60)
        sent = _send(paused, nonce)
        pushed = json.loads(socket.recv(timeout=60))["params"]["result"]
    shown = [
        paused.call("eth_getTransactionByHash", sent),
        *paused.call("eth_getBlockByNumber", "pending", True)["transactions"],
        paused.call("txpool_content")["pending"][OPERATOR.address][str(nonce)],
        paused.call("txpool_contentFrom", OPERATOR.address)["pending"][str(nonce)],
        pushed,
    ]
    assert all(item == shown[0] for item in shown)
    for name in ("blockHash", "blockNumber", "blockTimestamp", "transactionIndex"):
        assert shown[0][name] is None, name


def test_a_waiting_transaction_is_replaced_for_a_tenth_more_and_for_no_less(paused: RunningNode) -> None:
    nonce = paused.nonce(OPERATOR)
    first = _send(paused, nonce, fee=1000)
    refused = paused.request("eth_sendRawTransaction", paused.signed(OPERATOR, nonce=nonce, to=SECOND.address, maxFeePerGas=1099))
    assert refused["error"] == {"code": -32000, "message": "replacement transaction underpriced"}
    second = _send(paused, nonce, fee=1100)
    paused.call("evm_mine")
    assert paused.call("eth_getTransactionReceipt", first) is None
    assert paused.call("eth_getTransactionByHash", first) is None
    assert paused.call("eth_getTransactionReceipt", second)["status"] == "0x1"


def test_an_interval_seals_empty_blocks_too(node: RunningNode) -> None:
    head = int(node.call("eth_blockNumber"), 16)
    node.call("evm_setIntervalMining", 1)
    try:
        while int(node.call("eth_blockNumber"), 16) < head + 2:
            pass
        assert node.call("eth_getBlockByNumber", hex(head + 2), False)["transactions"] == []
    finally:
        node.call("evm_setAutomine", True)
    assert node.send(OPERATOR, to=OPERATOR.address)["status"] == "0x1"
