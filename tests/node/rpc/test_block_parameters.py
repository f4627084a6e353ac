"""A block is named by a tag, a number, its plain hash or an object; and code on a header that nobody sealed sees what was sealed."""

from typing import Any

import pytest

from tests.node.cell_contract import word
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
PLACE = "0x" + "aa" * 20
BLOCKHASH_OF_THE_INPUT = {PLACE: {"code": "0x5f35405f5260205ff3"}}
UNKNOWN = "0x" + "77" * 32
CALLER = {"tracer": "callTracer"}


def _asked(cell: str) -> list[tuple[Any, ...]]:
    """Methods that take a state, up to the parameter that names its block."""
    return [
        ("eth_getBalance", OPERATOR.address),
        ("eth_getCode", cell),
        ("eth_getStorageAt", cell, "0x0"),
        ("eth_getTransactionCount", OPERATOR.address),
        ("eth_getProof", cell, ["0x0"]),
        ("eth_call", {"to": cell}),
        ("eth_estimateGas", {"to": cell}),
        ("eth_createAccessList", {"to": cell}),
        ("debug_traceCall", {"to": cell}),
        ("eth_getBlockReceipts",),
        ("debug_getRawReceipts",),
        ("splittally_getSeal",),
    ]


def test_a_plain_hash_names_the_block_that_its_number_does(node: RunningNode, cell: str) -> None:
    sealed = [node.send(OPERATOR, to=cell, data=word(value)) for value in (701, 702)]
    for method, *params in _asked(cell):
        for receipt in sealed:
            by_number = node.call(method, *params, receipt["blockNumber"])
            assert node.call(method, *params, receipt["blockHash"]) == by_number, method
    assert node.call("eth_getStorageAt", cell, "0x0", sealed[0]["blockHash"]) == word(701)
    assert node.call("eth_call", {"to": cell}, sealed[0]["blockHash"]) == word(701)


def test_an_unknown_hash_names_no_state(node: RunningNode, cell: str) -> None:
    for method, *params in _asked(cell):
        answer = node.request(method, *params, UNKNOWN)
        assert answer.get("result", "") is None or answer["error"]["code"] == -32000, method
    assert node.request("eth_getBalance", OPERATOR.address, UNKNOWN + "77")["error"]["code"] == -32602


@pytest.mark.parametrize("method", ["eth_call", "debug_traceCall"])
def test_a_header_above_the_head_sees_the_sealed_hashes_and_none_for_blocks_nobody_sealed(node: RunningNode, method: str) -> None:
    for _ in range(5):
        node.call("evm_mine")
    head = int(node.call("eth_blockNumber"), 16)

    def blockhash(number: int, on: int) -> str:
        request, over = {"to": PLACE, "input": word(number)}, {"number": hex(on)}
        if method == "eth_call":
            return str(node.call("eth_call", request, "latest", BLOCKHASH_OF_THE_INPUT, over))
        options = {**CALLER, "stateOverrides": BLOCKHASH_OF_THE_INPUT, "blockOverrides": over}
        return str(node.call("debug_traceCall", request, "latest", options)["output"])

    known = {number: node.call("eth_getBlockByNumber", hex(number), False)["hash"] for number in (head - 3, head)}
    assert blockhash(head - 3, head) == known[head - 3]
    for on in (head + 1, head + 2, head + 10):
        assert blockhash(head, on) == known[head]
        assert blockhash(head - 3, on) == known[head - 3]
    assert [blockhash(number, head + 10) for number in (head + 1, head + 8, head + 9, head + 10)] == [word(0)] * 4
    assert blockhash(head, head + 256) == known[head]
    assert blockhash(head, head + 257) == word(0)
    assert blockhash(head, 2**63 - 1) == word(0)
