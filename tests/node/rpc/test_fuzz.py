"""Whatever is sent, the answer is valid JSON-RPC and never an internal error."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.node.own_node import OPERATOR, OwnNode, own_node

HEX = st.text("0123456789abcdefABCDEF", max_size=70).map(lambda digits: "0x" + digits)
TAGS = st.sampled_from(["latest", "pending", "earliest", "safe", "0x0", "0x1", "0x2"])
KNOWN = st.sampled_from([OPERATOR.address, "0x" + "00" * 20, "0x" + "00" * 32, "0x" + "00" * 18 + "0100"])
FIELDS = ["from", "to", "data", "input", "gas", "gasPrice", "maxFeePerGas", "value", "nonce", "accessList", "type"]
FILTER_FIELDS = ["address", "topics", "fromBlock", "toBlock", "blockHash", "blockNumber", "storageKeys"]
SIMPLE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8))
LEAVES = st.one_of(SIMPLE, HEX, TAGS, KNOWN)
NAMES = st.one_of(st.sampled_from(FIELDS + FILTER_FIELDS), st.text(max_size=3))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)
QUANTITIES = st.one_of(st.integers(0, 300_000), st.integers(0, 2**256 - 1)).map(hex)
CALLS = st.fixed_dictionaries(
    {"gas": st.integers(0, 300_000).map(hex)},
    optional={
        "from": KNOWN,
        "to": KNOWN,
        "data": st.binary(max_size=200).map(lambda data: "0x" + data.hex()),
        "value": QUANTITIES,
        "gasPrice": QUANTITIES,
        "accessList": st.just([{"address": OPERATOR.address, "storageKeys": ["0x" + "11" * 32]}]),
    },
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnNode]:
    with own_node(tmp_path_factory.mktemp("fuzz") / "data", sandbox=True) as node:
        node.request("evm_mine")
        yield node


@settings(max_examples=600)
@given(data=st.data())
def test_no_parameters_cause_an_internal_error(own: OwnNode, data: Any) -> None:
    method = data.draw(st.sampled_from(sorted(own.dispatcher._methods)))
    answer = own.request(method, *data.draw(st.lists(VALUES, max_size=4)))
    assert answer.get("error", {}).get("code") != -32603, (method, answer)
    assert ("result" in answer) != ("error" in answer)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=60), VALUES.map(lambda value: json.dumps(value).encode())))
def test_no_body_causes_an_internal_error(own: OwnNode, body: bytes) -> None:
    answer = own.dispatcher.respond(body)
    for item in json.loads(answer) if answer.startswith(b"[") else [json.loads(answer)]:
        assert item["error"]["code"] in (-32700, -32600, -32602)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=120).map(lambda tail: b"\x02" + tail)))
def test_no_raw_transaction_causes_an_internal_error(own: OwnNode, raw: bytes) -> None:
    assert own.request("eth_sendRawTransaction", "0x" + raw.hex())["error"]["code"] == -32000


@settings(max_examples=400)
@given(st.sampled_from(["eth_call", "eth_estimateGas"]), CALLS, TAGS)
@pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present")
def test_no_call_of_random_code_causes_an_internal_error(own: OwnNode, method: str, call: dict[str, Any], tag: str) -> None:
    assert own.request(method, call, tag).get("error", {}).get("code") in (None, 3, -32000, -32602)


SLOTS = st.dictionaries(HEX, HEX, max_size=2)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "balance": QUANTITIES,
        "nonce": QUANTITIES,
        "code": st.binary(max_size=60).map(lambda code: "0x" + code.hex()),
        "state": SLOTS,
        "stateDiff": SLOTS,
    },
)
HEADERS = st.dictionaries(
    st.sampled_from(["number", "time", "gasLimit", "baseFeePerGas", "feeRecipient", "prevRandao", "withdrawals"]),
    st.one_of(QUANTITIES, KNOWN, SIMPLE),
    max_size=3,
)
BLOCKS = st.fixed_dictionaries(
    {},
    optional={
        "blockOverrides": HEADERS,
        "stateOverrides": st.dictionaries(KNOWN, CHANGES, max_size=2),
        "calls": st.lists(st.one_of(CALLS, VALUES), max_size=3),
    },
)
OPTIONS = st.dictionaries(st.sampled_from(["validation", "traceTransfers", "returnFullTransactions"]), st.booleans())


@settings(max_examples=300)
@given(st.lists(BLOCKS, min_size=1, max_size=3), OPTIONS, TAGS)
@pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present")
def test_no_simulation_causes_an_internal_error(own: OwnNode, blocks: list[Any], options: dict[str, bool], tag: str) -> None:
    answer = own.request("eth_simulateV1", {"blockStateCalls": blocks, **options}, tag)
    code = answer.get("error", {}).get("code")
    assert code in (None, -32000, -32602) or -38_030 < code <= -38_010, answer


@settings(max_examples=200)
@given(CALLS, TAGS, st.sampled_from(["callTracer", "prestateTracer", None]), st.dictionaries(KNOWN, CHANGES, max_size=2), HEADERS)
@pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present")
def test_no_traced_call_causes_an_internal_error(
    own: OwnNode, call: dict[str, Any], tag: str, tracer: str | None, accounts: dict[str, Any], header: dict[str, Any]
) -> None:
    options = {"tracer": tracer, "stateOverrides": accounts, "blockOverrides": header}
    assert own.request("debug_traceCall", call, tag, options).get("error", {}).get("code") in (None, -32000, -32005, -32602)
