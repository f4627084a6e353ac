"""A receipt asked for while its block is in the making is answered with it: clients hold a null for a while, ethers for good."""

import time

import pytest

from node.rpc.answering import PATIENCE_SECONDS
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")


def test_the_first_question_for_a_receipt_waits_for_its_block(node: RunningNode) -> None:
    for _ in range(5):
        sent = node.call("eth_sendRawTransaction", node.signed(OPERATOR, to=OPERATOR.address))
        assert node.call("eth_getTransactionReceipt", sent)["status"] == "0x1"


def test_a_transaction_behind_a_gap_is_answered_with_null_after_a_while(node: RunningNode) -> None:
    nonce = node.nonce(OPERATOR)
    sent = node.call("eth_sendRawTransaction", node.signed(OPERATOR, to=OPERATOR.address, nonce=nonce + 1))
    started = time.monotonic()
    assert node.call("eth_getTransactionReceipt", sent) is None
    assert PATIENCE_SECONDS / 2 < time.monotonic() - started < 10 * PATIENCE_SECONDS
    node.send(OPERATOR, to=OPERATOR.address, nonce=nonce)
    assert node.receipt(sent)["status"] == "0x1"


@pytest.mark.parametrize("unknown", [True, False])
def test_nobody_waits_for_what_is_unknown_or_not_sealed_at_once(node: RunningNode, unknown: bool) -> None:
    node.call("evm_setAutomine", False)
    sent = "0x" + "77" * 32 if unknown else node.call("eth_sendRawTransaction", node.signed(OPERATOR, to=OPERATOR.address))
    started = time.monotonic()
    assert node.call("eth_getTransactionReceipt", sent) is None
    assert time.monotonic() - started < PATIENCE_SECONDS
    node.call("evm_mine")
    node.call("evm_setAutomine", True)


def test_a_batch_does_not_wait_for_a_part_of_it(node: RunningNode) -> None:
    nonce = node.nonce(OPERATOR)
    raw = node.signed(OPERATOR, to=OPERATOR.address, nonce=nonce + 1)
    assert node.client is not None
    sent = node.call("eth_sendRawTransaction", raw)
    questions = [{"jsonrpc": "2.0", "id": number, "method": "eth_getTransactionReceipt", "params": [sent]} for number in range(2)]
    started = time.monotonic()
    assert [answer["result"] for answer in node.client.post("/", json=questions).json()] == [None, None]
    assert time.monotonic() - started < PATIENCE_SECONDS
    node.send(OPERATOR, to=OPERATOR.address, nonce=nonce)
