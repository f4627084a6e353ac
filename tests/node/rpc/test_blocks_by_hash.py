"""What is asked of a block by its hash is what is asked of it by its number, and hashes to what it should."""

import pytest
from eth_hash.auto import keccak

from tests.node.cell_contract import word
from tests.node.running_node import RpcFailure, RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
NOWHERE = "0x" + "99" * 32


@pytest.mark.parametrize("options", [{}, {"tracer": "callTracer"}, {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}])
def test_a_block_traced_by_hash_or_number_is_its_transactions_traced_one_by_one(node: RunningNode, cell: str, options: object) -> None:
    first = node.nonce(OPERATOR)
    batch = [node.signed(OPERATOR, nonce=first + offset, to=cell, data=word(offset + 7)) for offset in range(2)]
    sent = [node.call("eth_sendRawTransaction", raw) for raw in reversed(batch)][::-1]  # the last one closes the gap: one block
    receipts = [node.receipt(transaction_hash) for transaction_hash in sent]
    assert receipts[0]["blockHash"] == receipts[1]["blockHash"]
    one_by_one = [{"txHash": item, "result": node.call("debug_traceTransaction", item, options)} for item in sent]
    assert node.call("debug_traceBlockByHash", receipts[0]["blockHash"], options) == one_by_one
    assert node.call("debug_traceBlockByNumber", receipts[0]["blockNumber"], options) == one_by_one


def test_a_block_of_an_unknown_hash_is_not_traced(node: RunningNode) -> None:
    with pytest.raises(RpcFailure, match="not found") as refused:
        node.call("debug_traceBlockByHash", NOWHERE)
    assert refused.value.code == -32000


def test_raw_transactions_by_place_are_those_that_were_sent(node: RunningNode, cell: str) -> None:
    raw = node.signed(OPERATOR, to=cell, data=word(8))
    receipt = node.receipt(node.call("eth_sendRawTransaction", raw))
    index = receipt["transactionIndex"]
    by_hash = node.call("eth_getRawTransactionByBlockHashAndIndex", receipt["blockHash"], index)
    assert by_hash == raw == node.call("eth_getRawTransactionByBlockNumberAndIndex", receipt["blockNumber"], index)
    assert "0x" + keccak(bytes.fromhex(by_hash[2:])).hex() == receipt["transactionHash"]
    assert node.call("eth_getRawTransactionByBlockNumberAndIndex", "latest", index) == raw


def test_raw_transactions_of_no_place_are_null(node: RunningNode, cell: str) -> None:
    receipt = node.send(OPERATOR, to=cell, data=word(9))
    beyond = hex(int(receipt["transactionIndex"], 16) + 1)
    assert node.call("eth_getRawTransactionByBlockHashAndIndex", receipt["blockHash"], beyond) is None
    assert node.call("eth_getRawTransactionByBlockNumberAndIndex", receipt["blockNumber"], beyond) is None
    assert node.call("eth_getRawTransactionByBlockHashAndIndex", NOWHERE, "0x0") is None
    assert node.call("eth_getRawTransactionByBlockNumberAndIndex", "0xffffff", "0x0") is None
