"""Every published limit: what lies at it is answered, what lies beyond it is refused by name."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from node.chain.tracing import call_frames, struct_logs
from node.chain.transactions import RAW_SIZE_MAX
from node.rpc import dispatch, lanes, server, trace
from node.rpc.eth import fee_market, message
from node.rpc.eth import filter as log_filter
from tests.node.own_node import OwnNode, own_node
from tests.node.running_node import ROOT, RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
PLACE = "0x" + "aa" * 20
LIMIT_EXCEEDED, INVALID_REQUEST, INVALID_PARAMS, SERVER_ERROR = -32005, -32600, -32602, -32000


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnNode]:
    with own_node(tmp_path / "data", sandbox=True) as node:
        yield node


def _refusal(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["error"]["code"], answer["error"]["message"]


@pytest.mark.parametrize(
    ("limit", "published"),
    [
        (dispatch.BATCH_MAX, "{:,} requests a batch"),
        (RAW_SIZE_MAX // 1024, "{} KiB"),
        (server.SOCKETS_MAX, "{} connections"),
        (lanes.LONG_THREADS, "up to {} by turns"),
        (lanes.LONG_MAX, "up to {} with those that wait"),
        (lanes.PROMPT_THREADS, "{} answer what is prompt"),
        (log_filter.BLOCKS_MAX, "{:,} blocks"),
        (log_filter.LOGS_MAX, "{:,} logs a query"),
        (message.ACCOUNTS_MAX, "{} accounts"),
        (message.SLOTS_MAX, "{:,} slots each"),
        (struct_logs.STEPS_MAX, "{:,} steps"),
        (call_frames.FRAMES_MAX, "{:,} calls"),
        (trace.BLOCK_TRANSACTIONS_MAX, "{} transactions a block"),
    ],
)
def test_the_limits_are_the_published_ones(limit: int, published: str) -> None:
    limits = (ROOT / "node/README.md").read_text().split("## Limits")[1].split("\n## ")[0]
    assert published.format(limit) in limits


def test_logs_of_too_many_blocks_are_refused(own: OwnNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_filter, "BLOCKS_MAX", 5)
    own.request("evm_mine", {"blocks": 5})
    assert own.request("eth_getLogs", {"fromBlock": "0x1", "toBlock": "0x5"})["result"] == []
    refused = own.request("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})
    assert _refusal(refused) == (LIMIT_EXCEEDED, "block range too large: at most 5 blocks")


def test_too_many_logs_are_refused_rather_than_cut_off(own: OwnNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_filter, "LOGS_MAX", 4)
    for nonce in range(2):
        assert "result" in own.request("eth_sendRawTransaction", _signed(nonce, data="0x" + "5f5fa0" * 2))  # LOG0 twice
        own.request("evm_mine")
    everything = {"fromBlock": "0x0", "toBlock": "latest"}
    assert len(own.request("eth_getLogs", everything)["result"]) == 4
    own.request("eth_sendRawTransaction", _signed(2, data="0x5f5fa0"))
    own.request("evm_mine")
    code, text = _refusal(own.request("eth_getLogs", everything))
    assert code == LIMIT_EXCEEDED
    assert "4" in text


def _signed(nonce: int, **fields: Any) -> str:
    complete = {"chainId": 7, "type": 2, "nonce": nonce, "gas": 200_000, "value": 0, "maxFeePerGas": 100, "maxPriorityFeePerGas": 1}
    return "0x" + OPERATOR.sign_transaction(complete | fields).raw_transaction.hex()


def _batch(size: int) -> list[dict[str, Any]]:
    return [{"jsonrpc": "2.0", "id": number, "method": "eth_chainId"} for number in range(size)]


def test_a_batch_of_more_than_a_thousand_is_refused_whole(node: RunningNode) -> None:
    assert node.client is not None
    answers = node.client.post("/", json=_batch(1_000)).json()
    assert [answer["id"] for answer in answers] == list(range(1_000))
    assert all(answer["result"] == hex(node.chain_id) for answer in answers)
    refused = node.client.post("/", json=_batch(1_001)).json()
    assert _refusal(refused) == (INVALID_REQUEST, "batch too large: at most 1000 requests")


def test_a_batch_of_more_than_a_thousand_is_refused_over_a_websocket_too(node: RunningNode) -> None:
    with _socket(node) as socket:
        for size in (1_000, 1_001):
            socket.send(json.dumps(_batch(size)))
            answer = json.loads(socket.recv(timeout=60))
            assert len(answer) == 1_000 if size == 1_000 else _refusal(answer)[0] == INVALID_REQUEST


def _socket(node: RunningNode) -> ClientConnection:
    return connect(node.url.replace("http", "ws"), max_size=None)


def test_a_257th_websocket_is_refused_until_another_leaves(tmp_path: Path) -> None:
    with RunningNode(tmp_path / "data") as node, ExitStack() as stack:
        sockets = [stack.enter_context(_socket(node)) for _ in range(server.SOCKETS_MAX)]
        with pytest.raises(InvalidStatus) as refused:
            _socket(node)
        assert refused.value.response.status_code == 403
        assert node.call("eth_blockNumber") == "0x0", "plain requests are answered on"
        sockets[0].close()
        late = None
        while late is None:
            try:
                late = stack.enter_context(_socket(node))
            except InvalidStatus:  # the node has not seen yet that one left
                continue
        for socket in (sockets[-1], late):
            socket.send(json.dumps(_batch(1)))
            assert json.loads(socket.recv(timeout=60))[0]["result"] == hex(node.chain_id)


def test_a_transaction_of_512_kib_is_taken_and_a_byte_more_is_not(node: RunningNode) -> None:
    code, text = _refusal(node.request("eth_sendRawTransaction", _of_size(node, RAW_SIZE_MAX + 1)))
    assert (code, "oversized data" in text) == (SERVER_ERROR, True)
    sent = node.call("eth_sendRawTransaction", _of_size(node, RAW_SIZE_MAX))
    assert node.receipt(sent)["status"] == "0x1"


def _of_size(node: RunningNode, size: int) -> str:
    for data_bytes in range(size - 130, size):  # a signature is shorter now and then
        raw = node.signed(OPERATOR, to=PLACE, data=bytes(data_bytes), gas=2**24)
        if len(raw) - 2 == 2 * size:
            return raw
    raise AssertionError("no transaction is of this size")


def test_overrides_of_more_than_256_accounts_are_refused(node: RunningNode) -> None:
    accounts = {"0x" + number.to_bytes(20, "big").hex(): {"balance": "0x1"} for number in range(1_000, 1_000 + 256)}
    assert node.call("eth_call", {"to": PLACE}, "latest", accounts) == "0x"
    for method, params, code in _overriding({**accounts, PLACE: {"balance": "0x1"}}):
        assert _refusal(node.request(method, *params)) == (code, "too many state overrides: at most 256 accounts")


@pytest.mark.parametrize("kind", ["state", "stateDiff"])
def test_overrides_of_more_than_4096_slots_are_refused(node: RunningNode, kind: str) -> None:
    slots = {f"0x{number:064x}": f"0x{number + 1:064x}" for number in range(4_096)}
    last_slot = {"code": "0x610fff545f5260205ff3"}  # SLOAD(4095)
    assert node.call("eth_call", {"to": PLACE}, "latest", {PLACE: {**last_slot, kind: slots}}) == f"0x{4_096:064x}"
    for method, params, code in _overriding({PLACE: {kind: {**slots, "0x" + "ff" * 32: "0x" + "00" * 32}}}):
        assert _refusal(node.request(method, *params)) == (code, "too many storage overrides: at most 4096 slots an account")


def _overriding(overrides: dict[str, Any]) -> list[tuple[str, list[Any], int]]:
    """Every method that takes overrides, its parameters, and the number it gives to what is too much."""
    call = {"to": PLACE}
    simulated = {"blockStateCalls": [{"stateOverrides": overrides, "calls": [call]}]}
    return [
        ("eth_call", [call, "latest", overrides], LIMIT_EXCEEDED),
        ("eth_estimateGas", [call, "latest", overrides], LIMIT_EXCEEDED),
        ("debug_traceCall", [call, "latest", {"stateOverrides": overrides}], LIMIT_EXCEEDED),
        ("eth_simulateV1", [simulated, "latest"], -38026),
    ]


def test_a_trace_of_too_many_steps_is_refused_unless_a_limit_is_set(own: OwnNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(struct_logs, "STEPS_MAX", 6)
    six_steps, seven_steps = {"data": "0x5f5f5f5f5f00"}, {"data": "0x5f5f5f5f5f5f00"}
    assert len(own.request("debug_traceCall", six_steps, "latest")["result"]["structLogs"]) == 6
    code, text = _refusal(own.request("debug_traceCall", seven_steps, "latest"))
    assert (code, "the trace is too large: at most 6 steps" in text) == (SERVER_ERROR, True)
    assert len(own.request("debug_traceCall", seven_steps, "latest", {"limit": 6})["result"]["structLogs"]) == 6


def test_a_trace_of_too_many_calls_is_refused_but_for_the_top_one(own: OwnNode, monkeypatch: pytest.MonkeyPatch) -> None:
    call_nobody = "5f5f5f5f5f5f5af150"  # CALL(gas, 0, 0, 0, 0, 0, 0), POP
    three_calls = {"data": "0x" + call_nobody * 3 + "00"}
    calls = {"tracer": "callTracer"}
    monkeypatch.setattr(call_frames, "FRAMES_MAX", 3)
    assert len(own.request("debug_traceCall", three_calls, "latest", calls)["result"]["calls"]) == 3
    monkeypatch.setattr(call_frames, "FRAMES_MAX", 2)
    code, text = _refusal(own.request("debug_traceCall", three_calls, "latest", calls))
    assert (code, "at most 2 calls; ask for onlyTopCall" in text) == (SERVER_ERROR, True)
    assert "calls" not in own.request("debug_traceCall", three_calls, "latest", {**calls, "tracerConfig": {"onlyTopCall": True}})["result"]


def test_a_block_of_too_many_transactions_is_traced_one_at_a_time(own: OwnNode, monkeypatch: pytest.MonkeyPatch) -> None:
    own.request("evm_setAutomine", False)
    sent = [own.request("eth_sendRawTransaction", own.transfer(nonce))["result"] for nonce in range(3)]
    own.request("evm_mine")
    block_hash = own.request("eth_getBlockByNumber", "0x1", False)["result"]["hash"]
    ways = (("debug_traceBlockByNumber", "0x1"), ("debug_traceBlockByHash", block_hash))
    monkeypatch.setattr(trace, "BLOCK_TRANSACTIONS_MAX", 3)
    for method, block in ways:
        assert [item["txHash"] for item in own.request(method, block)["result"]] == sent
    monkeypatch.setattr(trace, "BLOCK_TRANSACTIONS_MAX", 2)
    for method, block in ways:
        code, text = _refusal(own.request(method, block))
        assert (code, "more than 2 transactions" in text) == (INVALID_PARAMS, True)
    assert own.request("debug_traceTransaction", sent[2])["result"]["gas"] == 21_000


def test_a_fee_history_of_too_many_percentiles_is_refused_and_of_too_many_blocks_shortened(
    own: OwnNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fee_market, "BLOCKS_MAX", 2)
    own.request("evm_mine", {"blocks": 3})
    assert own.request("eth_feeHistory", "0x4", "latest", [])["result"]["oldestBlock"] == "0x2"
    assert len(own.request("eth_feeHistory", "0x1", "latest", [50] * 100)["result"]["reward"][0]) == 100
    assert _refusal(own.request("eth_feeHistory", "0x1", "latest", [50] * 101))[0] == INVALID_PARAMS
