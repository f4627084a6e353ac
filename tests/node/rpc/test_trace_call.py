"""debug_traceCall: the same tracers on a call nobody signed, on a named block, with overrides."""

from tests.node.cell_contract import RUNTIME, word
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
PLACE = "0x9dcd17433742f4c0ca53122ab541d0ba67fc27d3"
CALLS = {"tracer": "callTracer"}
CODE = {"stateOverrides": {PLACE: {"code": "0x" + RUNTIME.hex(), "state": {word(0): word(42)}}}}


def test_a_revert_stands_in_the_frame_and_is_no_error(node: RunningNode, cell: str) -> None:
    request = {"from": OPERATOR.address, "to": cell, "input": "0x12345678", "gas": "0x100000"}
    frame = node.call("debug_traceCall", request, "latest", CALLS)
    assert (frame["error"], frame["output"], frame["gas"]) == ("execution reverted", "0x12345678", "0x100000")
    assert (frame["from"], frame["to"], frame["type"], frame["value"]) == (OPERATOR.address.lower(), cell, "CALL", "0x0")


def test_struct_logs_are_those_of_the_transaction_that_does_the_same(node: RunningNode, cell: str) -> None:
    request = {"from": OPERATOR.address, "to": cell, "input": word(501), "gas": hex(200_000)}
    foretold = node.call("debug_traceCall", request, "latest")
    sent = node.send(OPERATOR, to=cell, data=word(501))
    assert foretold == node.call("debug_traceTransaction", sent["transactionHash"])
    assert foretold["gas"] == int(sent["gasUsed"], 16)


def test_a_named_block_is_the_one_that_is_seen(node: RunningNode, cell: str) -> None:
    numbers = [node.send(OPERATOR, to=cell, data=word(value))["blockNumber"] for value in (601, 602)]
    options = {"tracer": "prestateTracer"}
    for number, value in zip(numbers, (601, 602), strict=True):
        assert node.call("debug_traceCall", {"to": cell}, number, options)[cell]["storage"] == {word(0): word(value)}
    by_hash = {"blockHash": node.call("eth_getBlockByNumber", numbers[0], False)["hash"]}
    assert node.call("debug_traceCall", {"to": cell}, by_hash, CALLS)["output"] == word(601)


def test_overrides_hold_for_the_call_alone(node: RunningNode) -> None:
    assert node.call("debug_traceCall", {"to": PLACE}, "latest", {**CALLS, **CODE})["output"] == word(42)
    number = {"tracer": "callTracer", "stateOverrides": {PLACE: {"code": "0x4360005260206000f3"}}, "blockOverrides": {"number": "0x999"}}
    assert node.call("debug_traceCall", {"to": PLACE}, "latest", number)["output"] == word(0x999)
    changed = {**CODE, "tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
    difference = node.call("debug_traceCall", {"to": PLACE, "input": word(43)}, "latest", changed)
    assert (difference["pre"][PLACE]["storage"], difference["post"][PLACE]["storage"]) == ({word(0): word(42)}, {word(0): word(43)})
    assert node.call("debug_traceCall", {"to": PLACE}, None, CALLS).get("output") is None


def test_what_cannot_be_traced_is_refused(node: RunningNode, cell: str) -> None:
    def error(*params: object) -> tuple[int, str]:
        found = node.request("debug_traceCall", *params)["error"]
        return found["code"], found["message"]

    poor = {"from": PLACE, "to": cell, "value": "0x1"}
    assert error(poor, "latest")[1].startswith("tracing failed: insufficient funds for gas * price + value")
    assert error({"to": cell}, "pending") == (-32000, "tracing on top of pending is not supported")
    assert error({"to": cell}, "0xffffff")[0] == -32000
    assert error({"to": cell}, "latest", {"tracer": "muxTracer"}) == (-32000, "tracer not found: muxTracer")
    assert error({"to": cell}, "latest", {"txIndex": "0x0"})[0] == -32602
    assert error({"to": cell, "banana": 1}, "latest")[0] == -32602
