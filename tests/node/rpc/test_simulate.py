"""eth_simulateV1 against what geth answers: its codes, its words, its gas, and hashes that hold only chain-independent parts."""

from typing import Any

import pytest

from node.chain.execution import Call
from node.chain.simulation.unsigned import unsigned_transaction
from tests.node.cell_contract import RUNTIME, word
from tests.node.running_node import RunningNode, throwaway_account

A, B, C = ("0xc" + digit + "0" * 38 for digit in "012")
RICH = {A: {"balance": hex(10**18)}}
FORWARD = "0x5f5f5f5f345f355af100"  # CALL the address in calldata with the value received
OPERATOR = throwaway_account("operator").address
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def _address(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _simulated(node: RunningNode, *blocks: dict[str, Any], tag: str = "latest", **options: Any) -> Any:
    return node.call("eth_simulateV1", {"blockStateCalls": list(blocks), **options}, tag)


def _refusal(node: RunningNode, *blocks: dict[str, Any], **options: Any) -> Any:
    return node.request("eth_simulateV1", {"blockStateCalls": list(blocks), **options}, "latest")["error"]


def _indexed(address: str) -> str:
    return "0x" + address[2:].rjust(64, "0")


def test_blocks_follow_the_head_and_each_other(node: RunningNode) -> None:
    head = node.call("eth_getBlockByNumber", "latest", False)
    first, gap, last = _simulated(node, {}, {"blockOverrides": {"number": hex(int(head["number"], 16) + 3)}})
    assert first["parentHash"] == head["hash"]
    assert (gap["parentHash"], last["parentHash"]) == (first["hash"], gap["hash"])
    assert [int(block["number"], 16) - int(head["number"], 16) for block in (first, gap, last)] == [1, 2, 3]
    assert [int(block["timestamp"], 16) - int(head["timestamp"], 16) for block in (first, gap, last)] == [12, 24, 36]
    assert first["stateRoot"] == last["stateRoot"] == head["stateRoot"]
    assert first["baseFeePerGas"] == "0x0"
    assert _simulated(node, {}, validation=True)[0]["baseFeePerGas"] == head["baseFeePerGas"]
    assert node.call("eth_blockNumber") == head["number"], "nothing was sealed"


def test_the_roots_are_geths_where_no_state_of_the_chain_is_in_them(node: RunningNode) -> None:
    """Receipts roots of the execution API's own examples: one plain transfer, and two."""
    [one] = _simulated(node, {"calls": [{"from": B, "to": B, "nonce": "0x0"}]})
    assert one["receiptsRoot"] == "0xf78dfb743fbd92ade140711c8bbc542b5e307f0ab7984eff35d751969fe57efa"
    calls = [
        {"from": A, "to": B, "maxFeePerGas": "0x10", "value": "0x2540be400"},
        {"from": B, "to": C, "maxFeePerGas": "0x10", "value": "0x3e8"},
    ]
    block = {"blockOverrides": {"baseFeePerGas": "0xf"}, "stateOverrides": {A: {"balance": "0xe8d4a51000"}}, "calls": calls}
    [two] = _simulated(node, block, validation=True, returnFullTransactions=True)
    assert two["receiptsRoot"] == "0x75308898d571eafb5cd8cde8278bf5b3d13c5f6ec074926de3bb895b519264e1"
    assert [item["gas"] for item in two["transactions"]] == ["0x2faf080", "0x2fa9e78"]
    assert [(item["from"], item["gasPrice"], item["r"]) for item in two["transactions"]] == [(A, "0xf", "0x0"), (B, "0xf", "0x0")]
    assert two["gasUsed"] == "0xa410"


def test_an_unsigned_transaction_has_the_hash_geth_gives_it() -> None:
    call = Call(_address(A), _address(B), b"", 0x2540BE400, 0x2FAF080, 0x10, 0)  # type: ignore[arg-type]
    assert (
        unsigned_transaction(call, 0xC72DD9D5E883E, legacy=False).hash.hex()
        == "c2df7444d2b0604cdfaa20cad5855422b575d8d2ec02868ed9eb45eb20490f66"
    )


def test_state_is_carried_from_call_to_call_and_block_to_block(node: RunningNode) -> None:
    code = {"stateOverrides": {**RICH, C: {"code": "0x" + RUNTIME.hex()}}}
    write, read = {"from": A, "to": C, "input": word(77)}, {"from": A, "to": C}
    first, second = _simulated(node, {**code, "calls": [read, write, read]}, {"calls": [read]})
    assert [call["returnData"] for call in first["calls"]] == [word(0), "0x", word(77)]
    assert second["calls"][0]["returnData"] == word(77)
    [log] = first["calls"][1]["logs"]
    assert (log["topics"], log["blockHash"], log["transactionHash"]) == ([word(77)], first["hash"], first["transactions"][1])
    assert int(first["logsBloom"], 16) != 0
    assert node.call("eth_getCode", C) == "0x"


def test_a_call_that_fails_says_how_and_the_others_go_on(node: RunningNode) -> None:
    overrides = {**RICH, B: {"code": "0xfe"}, C: {"code": "0x" + RUNTIME.hex()}}
    calls = [{"from": A, "to": C, "input": "0x12345678"}, {"from": A, "to": B, "gas": "0x7530"}, {"from": A, "to": C}]
    reverted, invalid, fine = _simulated(node, {"stateOverrides": overrides, "calls": calls})[0]["calls"]
    assert (reverted["status"], reverted["returnData"]) == ("0x0", "0x12345678")
    assert reverted["error"] == {"code": 3, "message": "execution reverted", "data": "0x12345678"}
    assert invalid["error"] == {"code": -32015, "message": "invalid opcode: INVALID"}
    assert invalid["gasUsed"] == invalid["maxUsedGas"] == "0x7530"
    assert "error" not in fine


def test_value_that_moves_is_logged_if_asked_for_and_not_if_it_came_back(node: RunningNode) -> None:
    overrides = {**RICH, B: {"code": FORWARD}, C: {"code": "0x5f5ffd"}}
    kept = {"from": A, "to": B, "value": "0x3e8", "input": _indexed("0x" + "00" * 18 + "0999")}
    block = {"stateOverrides": overrides, "calls": [kept, {**kept, "to": C}]}
    [traced] = _simulated(node, block, traceTransfers=True)
    inward, onward = traced["calls"][0]["logs"]
    assert (inward["address"], inward["topics"], inward["data"]) == ("0x" + "ee" * 20, [TRANSFER, _indexed(A), _indexed(B)], word(1_000))
    assert (onward["topics"], onward["logIndex"]) == ([TRANSFER, _indexed(B), _indexed("0x0999")], "0x1")
    assert traced["calls"][1]["logs"] == []
    assert int(traced["logsBloom"], 16) == 0
    assert _simulated(node, block)[0]["calls"][0]["logs"] == []


def test_code_sees_its_own_block_and_the_hashes_before_it(node: RunningNode) -> None:
    own = "0x43600052426020524860405260606000f3"  # NUMBER, TIMESTAMP, BASEFEE
    previous = "0x600143034060005260206000f3"  # BLOCKHASH(NUMBER − 1)
    overrides = {B: {"code": own}, C: {"code": previous}}
    fields = {"number": hex(10**3), "time": hex(4_000_000_000), "baseFeePerGas": "0x9"}
    node_head = int(node.call("eth_blockNumber"), 16)
    fields["number"] = hex(node_head + 2)
    blocks = _simulated(
        node, {"stateOverrides": overrides, "calls": [{"to": C}]}, {"blockOverrides": fields, "calls": [{"to": B}, {"to": C}]}
    )
    assert blocks[0]["calls"][0]["returnData"] == node.call("eth_getBlockByNumber", hex(node_head), False)["hash"]
    seen, before = (call["returnData"] for call in blocks[1]["calls"])
    assert seen == "0x" + "".join(word(number)[2:] for number in (node_head + 2, 4_000_000_000, 9))
    assert before == blocks[0]["hash"]


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        ({"nonce": "0x7"}, -38011, "err: nonce too high: address 0xC0"),
        ({"maxFeePerGas": "0x1"}, -38012, "err: max fee per gas less than block base fee: address 0xC0"),
        ({"maxFeePerGas": "0x64", "gas": "0x0"}, -38013, "err: intrinsic gas too low: have 0, want 21000 (supplied gas 0)"),
        ({"maxFeePerGas": "0x64", "value": hex(10**19)}, -38014, "err: insufficient funds for gas * price + value: address 0xC0"),
        ({"maxFeePerGas": "0x64", "gas": "0x20000000"}, -38015, "block gas limit reached: 0 >= 268435456"),
    ],
)
def test_what_could_be_in_no_block_is_refused_with_validation(node: RunningNode, call: dict[str, str], code: int, words: str) -> None:
    error = _refusal(node, {"stateOverrides": RICH, "calls": [{"from": A, "to": B, **call}]}, validation=True)
    assert (error["code"], error["message"][: len(words)]) == (code, words)
    lax = _refusal_or_none(node, {"stateOverrides": RICH, "calls": [{"from": A, "to": B, **call}]})
    assert (lax is None) == (code in (-38011, -38012))


def _refusal_or_none(node: RunningNode, block: dict[str, Any]) -> Any:
    return node.request("eth_simulateV1", {"blockStateCalls": [block]}, "latest").get("error")


def test_blocks_out_of_order_and_too_many_are_refused(node: RunningNode) -> None:
    head = int(node.call("eth_blockNumber"), 16)
    ten, nine = ({"blockOverrides": {"number": hex(head + number)}} for number in (10, 9))
    assert _refusal(node, ten, nine) == {"code": -38020, "message": f"block numbers must be in order: {head + 9} <= {head + 10}"}
    assert _refusal(node, {"blockOverrides": {"time": "0x1"}})["code"] == -38021
    assert _refusal(node, {"blockOverrides": {"number": hex(head + 257)}})["code"] == -38026
    assert _refusal(node, *([{}] * 257))["code"] == -38026
    assert _refusal(node) == {"code": -32602, "message": "empty input"}
    assert _refusal(node, {"callz": []})["code"] == -32602
    assert _refusal(node, {"calls": [{"from": A, "to": B, "nonce": 5}]})["code"] == -32602
    assert _refusal(node, {"calls": 5})["code"] == -32602
    spent = {"stateOverrides": {A: {"nonce": "0xffffffffffffffff"}}, "calls": [{"from": A, "to": A}]}
    assert _refusal(node, spent)["message"].startswith("err: nonce has max value")
