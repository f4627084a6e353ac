"""A receipt asked for while its block is in the making is answered with it: clients hold a null for a while, ethers for good."""

import time

import pytest
from eth_utils import keccak

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
    assert PATIENCE_SECONDS / 2 < _seconds_until_null(node, sent) < 30 * PATIENCE_SECONDS
    node.send(OPERATOR, to=OPERATOR.address, nonce=nonce)
    assert node.receipt(sent)["status"] == "0x1"


@pytest.mark.parametrize("unknown", [True, False])
def test_nobody_waits_for_what_is_unknown_or_not_sealed_at_once(node: RunningNode, unknown: bool) -> None:
    node.call("evm_setAutomine", False)
    sent = "0x" + "77" * 32 if unknown else node.call("eth_sendRawTransaction", node.signed(OPERATOR, to=OPERATOR.address))
    assert min(_seconds_until_null(node, sent) for _ in range(5)) < PATIENCE_SECONDS  # one answer may find the machine busy, not five
    node.call("evm_mine")
    node.call("evm_setAutomine", True)


def test_a_batch_waits_for_the_receipts_in_it_and_does_all_else_once(node: RunningNode) -> None:
    assert node.client is not None
    raw = node.signed(OPERATOR, to=OPERATOR.address)
    sent = "0x" + keccak(hexstr=raw).hex()
    asked = [("eth_sendRawTransaction", raw), ("eth_getTransactionReceipt", sent), ("eth_chainId",), ("eth_sendRawTransaction", raw)]
    batch = [{"jsonrpc": "2.0", "id": number, "method": name, "params": params} for number, (name, *params) in enumerate(asked)]
    answers = node.client.post("/", json=batch).json()
    assert [answer["id"] for answer in answers] == [0, 1, 2, 3]
    assert (answers[0]["result"], answers[1]["result"]["transactionHash"]) == (sent, sent)
    assert answers[3]["error"]["message"] in (
        "already known",
        f"nonce too low: next nonce {node.nonce(OPERATOR)}, tx nonce {node.nonce(OPERATOR) - 1}",
    )


def _seconds_until_null(node: RunningNode, sent: str) -> float:
    started = time.monotonic()
    assert node.call("eth_getTransactionReceipt", sent) is None
    return time.monotonic() - started
