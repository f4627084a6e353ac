"""A call that nobody signed and that nothing could hold is refused by its own name, by every method that runs one, and never as a fault."""

from typing import Any

import pytest

from tests.node.running_node import RunningNode

LIMIT = 49_152  # bytes of initcode, EIP-3860
INITCODE_TOO_LARGE = -38025
RUNNING = ("eth_call", "eth_estimateGas", "eth_createAccessList", "debug_traceCall", "eth_simulateV1")
PLACE, OTHER = "0x" + "c0" * 20, "0x" + "c1" * 20
MOST = hex(2**256 - 1)
TRACERS = (None, "callTracer", "prestateTracer")


def _asked(node: RunningNode, method: str, call: dict[str, Any], overrides: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    if method == "eth_simulateV1":
        block = {"stateOverrides": overrides or {}, "calls": [call]}
        return node.request(method, {"blockStateCalls": [block], **options}, "latest")
    if method == "debug_traceCall":
        return node.request(method, call, "latest", {"stateOverrides": overrides or {}, **options})
    return node.request(method, call, "latest", overrides or {})


@pytest.mark.parametrize("method", RUNNING)
@pytest.mark.parametrize("target", [{}, {"to": None}])
@pytest.mark.parametrize("field", ["data", "input"])
def test_a_creation_from_more_than_the_initcode_limit_is_refused_by_the_limits_own_error(
    node: RunningNode, method: str, target: dict[str, Any], field: str
) -> None:
    error = _asked(node, method, {**target, field: "0x" + "00" * (LIMIT + 1)})["error"]
    assert error["code"] == INITCODE_TOO_LARGE
    assert error["message"].startswith(f"err: max initcode size exceeded: code size {LIMIT + 1} limit {LIMIT} (supplied gas ")
    assert "result" in _asked(node, method, {**target, field: "0x" + "00" * LIMIT}), "at the limit"
    assert "result" in _asked(node, method, {"to": PLACE, field: "0x" + "00" * (LIMIT + 1)}), "data is no initcode"


@pytest.mark.parametrize("tracer", TRACERS)
def test_no_tracer_sees_a_creation_beyond_the_initcode_limit(node: RunningNode, tracer: str | None) -> None:
    error = _asked(node, "debug_traceCall", {"data": "0x" + "00" * (LIMIT + 1)}, tracer=tracer)["error"]
    assert error["code"] == INITCODE_TOO_LARGE


def test_every_method_says_the_same_with_the_same_gas(node: RunningNode) -> None:
    call = {"data": "0x" + "00" * (LIMIT + 1), "gas": hex(10_000_000)}
    errors = [_asked(node, method, call)["error"] for method in RUNNING]
    assert all(error == errors[0] for error in errors)


@pytest.mark.parametrize("method", RUNNING)
def test_state_that_no_chain_could_hold_is_refused_and_no_fault(node: RunningNode, method: str) -> None:
    rich = {PLACE: {"balance": MOST}, OTHER: {"balance": MOST}}
    error = _asked(node, method, {"from": PLACE, "to": OTHER, "value": MOST, "gasPrice": "0x0"}, rich)["error"]
    assert (error["code"], "exceeds maximum uint256" in error["message"]) == (-32000, True)
    spent = _asked(node, method, {"from": PLACE, "data": "0x00"}, {PLACE: {"nonce": hex(2**64 - 1)}})["error"]
    assert spent["code"] in (-32000, -38011)
