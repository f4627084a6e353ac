"""Traces against what is known of a transaction by other means: its receipt, its code, the state around it."""

import itertools
from typing import Any

import pytest

from tests.node.cell_contract import word
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
CALL = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}


def _deployed(node: RunningNode, runtime: bytes) -> str:
    creation = bytes.fromhex(f"60{len(runtime):02x}80600b6000396000f3") + runtime
    return str(node.send(OPERATOR, data="0x" + creation.hex())["contractAddress"])


@pytest.fixture
def caller(node: RunningNode, cell: str) -> str:
    """Forwards 32 bytes of calldata to the cell by CALL, four bytes of it by STATICCALL, which reverts."""
    copy = "602060006000" + "37"  # 32 bytes of calldata to memory 0
    forward = "60006000" + "60206000" + "6000" + "73" + cell[2:] + "5af1"  # CALL(gas, cell, 0, 0, 32, 0, 0)
    look = "60006000" + "60046000" + "73" + cell[2:] + "5afa"  # STATICCALL(gas, cell, 0, 4, 0, 0)
    return _deployed(node, bytes.fromhex(copy + forward + look + "00"))


def test_struct_logs_account_for_every_unit_of_gas(node: RunningNode, cell: str) -> None:
    receipt = node.send(OPERATOR, to=cell, data=word(91))
    trace = node.call("debug_traceTransaction", receipt["transactionHash"])
    steps = trace["structLogs"]
    assert trace["gas"] == int(receipt["gasUsed"], 16)
    assert (trace["failed"], trace["returnValue"]) == (False, "0x")
    assert all(one["gas"] - one["gasCost"] == following["gas"] for one, following in itertools.pairwise(steps))
    intrinsic = 200_000 - steps[0]["gas"]
    assert intrinsic + sum(step["gasCost"] for step in steps) == trace["gas"]
    assert [step["op"] for step in steps[:3]] == ["CALLDATASIZE", "ISZERO", "PUSH1"]
    assert [step["storage"] for step in steps if step["op"] == "SSTORE"] == [{word(0): word(91)}]
    assert steps[0] == {"pc": 0, "op": "CALLDATASIZE", "gas": steps[0]["gas"], "gasCost": 2, "depth": 1, "stack": []}


def test_struct_logs_hold_only_the_parts_asked_for(node: RunningNode, cell: str) -> None:
    sent = node.send(OPERATOR, to=cell, data=word(92))["transactionHash"]
    options = {"disableStack": True, "disableStorage": True, "enableMemory": True, "limit": 12}
    steps = node.call("debug_traceTransaction", sent, options)["structLogs"]
    assert len(steps) == 12
    assert all("stack" not in step and "storage" not in step for step in steps)
    assert any(word(92) in step["memory"] for step in node.call("debug_traceTransaction", sent, {"enableMemory": True})["structLogs"])


def test_a_failed_transaction_shows_its_revert(node: RunningNode, cell: str) -> None:
    receipt = node.send(OPERATOR, to=cell, data="0x12345678")
    trace = node.call("debug_traceTransaction", receipt["transactionHash"])
    assert (trace["failed"], trace["returnValue"], trace["structLogs"][-1]["op"]) == (True, "0x12345678", "REVERT")
    frame = node.call("debug_traceTransaction", receipt["transactionHash"], CALL)
    assert (frame["error"], frame["output"], frame["gasUsed"]) == ("execution reverted", "0x12345678", receipt["gasUsed"])


def test_the_call_tracer_shows_inner_calls_with_their_logs(node: RunningNode, cell: str, caller: str) -> None:
    receipt = node.send(OPERATOR, to=caller, data=word(93))
    assert receipt["status"] == "0x1"
    frame = node.call("debug_traceTransaction", receipt["transactionHash"], CALL)
    assert (frame["type"], frame["from"], frame["to"]) == ("CALL", OPERATOR.address.lower(), caller)
    assert (frame["gas"], frame["gasUsed"], frame["input"]) == (hex(200_000), receipt["gasUsed"], word(93))
    written, looked = frame["calls"]
    assert (written["type"], written["to"], written["input"], written["value"]) == ("CALL", cell, word(93), "0x0")
    assert [log["topics"] for log in written["logs"]] == [[word(93)]]
    assert (looked["type"], looked["error"]) == ("STATICCALL", "execution reverted")
    assert "value" not in looked
    top = node.call("debug_traceTransaction", receipt["transactionHash"], {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}})
    assert "calls" not in top


def test_steps_stand_where_their_bytes_do_and_the_unwritten_stop_after_them(node: RunningNode) -> None:
    for code, places in (("5f00", [0, 1]), ("5f", [0, 1]), ("6000", [0, 2]), ("00", [0])):
        sent = node.send(OPERATOR, data="0x" + code)["transactionHash"]
        steps = node.call("debug_traceTransaction", sent)["structLogs"]
        assert [step["pc"] for step in steps] == places
        assert steps[-1]["op"] == "STOP"
    plain = node.send(OPERATOR, to=OPERATOR.address)["transactionHash"]
    assert node.call("debug_traceTransaction", plain)["structLogs"] == []


def test_a_creation_inside_costs_what_it_takes_without_the_gas_it_hands_on(node: RunningNode) -> None:
    sent = node.send(OPERATOR, data="0x5f5f5ff0")["transactionHash"]  # CREATE of nothing
    steps = node.call("debug_traceTransaction", sent)["structLogs"]
    assert [step["gasCost"] for step in steps if step["op"] == "CREATE"] == [32_000]


def test_a_creation_shows_the_deployed_code_as_its_output(node: RunningNode) -> None:
    receipt = node.send(OPERATOR, data="0x6001600c60003960016000f300")
    frame = node.call("debug_traceTransaction", receipt["transactionHash"], CALL)
    assert (frame["type"], frame["to"], frame["output"]) == ("CREATE", receipt["contractAddress"], "0x00")


def test_the_prestate_is_the_state_before_and_the_difference_leads_to_the_state_after(node: RunningNode, cell: str) -> None:
    node.send(OPERATOR, to=cell, data=word(94))
    receipt = node.send(OPERATOR, to=cell, data=word(95))
    before, at = hex(int(receipt["blockNumber"], 16) - 1), receipt["blockNumber"]
    sender = OPERATOR.address.lower()
    prestate = node.call("debug_traceTransaction", receipt["transactionHash"], {"tracer": "prestateTracer"})
    assert prestate[cell]["storage"] == {word(0): word(94)}
    assert prestate[cell]["code"] == node.call("eth_getCode", cell)
    assert prestate[sender]["balance"] == node.call("eth_getBalance", sender, before)
    assert prestate[sender]["nonce"] == int(node.call("eth_getTransactionCount", sender, before), 16)
    options = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
    changed = node.call("debug_traceTransaction", receipt["transactionHash"], options)
    assert changed["post"][cell] == {"storage": {word(0): word(95)}}
    assert changed["post"][sender]["balance"] == node.call("eth_getBalance", sender, at)
    assert changed["pre"][sender] == prestate[sender]


def test_each_transaction_of_a_block_is_traced_after_those_before_it(node: RunningNode, cell: str) -> None:
    node.call("evm_setAutomine", False)
    first = node.nonce(OPERATOR)
    hashes = [node.call("eth_sendRawTransaction", node.signed(OPERATOR, nonce=first + n, to=cell, data=word(100 + n))) for n in range(3)]
    node.call("evm_mine")
    node.call("evm_setAutomine", True)
    number = node.receipt(hashes[0])["blockNumber"]
    traces = node.call("debug_traceBlockByNumber", number, {"tracer": "prestateTracer"})
    assert [item["txHash"] for item in traces] == hashes
    assert [item["result"][cell]["storage"][word(0)] for item in traces[1:]] == [word(100), word(101)]


def test_what_cannot_be_traced_is_refused(node: RunningNode, cell: str) -> None:
    sent = node.send(OPERATOR, to=cell, data=word(1))["transactionHash"]

    def error(*params: Any) -> Any:
        return node.request("debug_traceTransaction", *params)["error"]

    assert error("0x" + "77" * 32) == {"code": -32000, "message": "transaction not found"}
    assert error(sent, {"tracer": "muxTracer"})["message"] == "tracer not found: muxTracer"
    assert error(sent, {"limit": -1})["code"] == -32602
    assert error(sent, 5)["code"] == -32602


@pytest.mark.parametrize("options", [{}, CALL, {"tracer": "prestateTracer"}])
def test_the_genesis_block_has_no_state_before_it_to_be_traced_on(node: RunningNode, options: dict[str, Any]) -> None:
    refused = {"code": -32000, "message": "genesis is not traceable"}
    genesis = node.call("eth_getBlockByNumber", "earliest", False)["hash"]
    for method, block in (
        ("debug_traceBlockByNumber", "0x0"),
        ("debug_traceBlockByNumber", "earliest"),
        ("debug_traceBlockByNumber", {"blockHash": genesis}),
        ("debug_traceBlockByHash", genesis),
    ):
        assert node.request(method, block, options)["error"] == refused
    assert "result" in node.request("debug_traceBlockByNumber", "0x1", options)
    assert "result" in node.request("debug_traceCall", {"to": OPERATOR.address}, "earliest", options), "on the state after it"
