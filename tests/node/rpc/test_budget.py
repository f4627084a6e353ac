"""One request, single or a batch of a thousand, has one deadline and one room for answers; and does not keep the node from ending."""

import json
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from node.chain.budget import Budget
from node.rpc.dispatch import BATCH_MAX
from tests.node.rpc.limited_node import ENDLESS, ENDLESS_LOOP, MANY_ROUNDS, PLACE, LimitedNode, limited_node, traced
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
TIMED_OUT = {"code": -32002, "message": "request timed out"}
TOO_LARGE = {"code": -32003, "message": "response too large"}
CHAIN_ID: tuple[str, list[Any]] = ("eth_chainId", [])
EIGHT_WORDS_FIFTY_TIMES = "0x7f" + "ff" * 32 + "80" * 7 + "5f50" * 50
CALLS_WITH_A_MEGABYTE_AGAIN_AND_AGAIN = "0x5b5f5f620fffff5f5f5f5af1505f56"
RETURNS_A_MEGABYTE = "0x620fffff5ff3"
LOGS_A_THOUSAND_TIMES = "0x6103e85b600190038060205fa080600357"  # 1,000 down to 0, LOG0 of a word


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LimitedNode]:
    with limited_node(tmp_path_factory.mktemp("budget") / "data") as node:
        yield node


def test_a_batch_ends_with_the_requests_time_not_with_each_calls(limited: LimitedNode) -> None:
    started = time.monotonic()
    answers = limited.batch(CHAIN_ID, *[ENDLESS] * 20, CHAIN_ID, seconds=0.5)
    assert time.monotonic() - started < 30
    assert [answer["id"] for answer in answers] == list(range(22))
    assert answers[0]["result"] == "0x7"
    assert all(answer["error"] == TIMED_OUT for answer in answers[1:])


def test_a_batch_of_a_thousand_cheap_requests_has_time_enough(limited: LimitedNode) -> None:
    balance: tuple[str, list[Any]] = ("eth_getBalance", [OPERATOR.address, "latest"])
    answers = limited.batch(*[CHAIN_ID, balance] * (BATCH_MAX // 2))
    assert len(answers) == BATCH_MAX
    assert all("result" in answer for answer in answers)


def test_a_batch_ends_with_the_answer_that_fills_its_room(limited: LimitedNode) -> None:
    block: tuple[str, list[Any]] = ("eth_getBlockByNumber", ["0x0", False])
    answers = limited.batch(*[block] * 5, answers_bytes_max=2_500)
    assert [answer.get("error") for answer in answers] == [None, None, TOO_LARGE, TOO_LARGE, TOO_LARGE]
    assert all("result" in answer for answer in limited.batch(*[block] * 5))


def test_a_notification_is_not_answered_even_when_time_is_over(limited: LimitedNode) -> None:
    with limited.serving(partial(Budget, seconds=-1)) as client:
        assert client.post("/", json={"jsonrpc": "2.0", "method": "eth_chainId"}).content == b""


@pytest.mark.parametrize(
    ("code", "options"),
    [
        (EIGHT_WORDS_FIFTY_TIMES, {}),
        (EIGHT_WORDS_FIFTY_TIMES, {"disableStack": True}),
        ("0x6001618000525f50", {"enableMemory": True, "disableStack": True}),
        ("0x5f5f620fffff5f5f5f5af100", {"tracer": "callTracer"}),
    ],
)
def test_a_trace_that_outgrows_its_room_is_refused_and_one_that_does_not_is_answered(
    limited: LimitedNode, code: str, options: dict[str, Any]
) -> None:
    asked = traced(code, **options)
    assert limited.request("debug_traceCall", *asked, held_bytes_max=5_000)["error"] == TOO_LARGE
    fewer = traced(code, **options, **({"tracerConfig": {"onlyTopCall": True}} if "tracer" in options else {"limit": 2}))
    assert "result" in limited.request("debug_traceCall", *fewer, held_bytes_max=5_000)


def test_calls_that_each_hand_on_a_megabyte_are_refused_at_the_nodes_own_limit(limited: LimitedNode) -> None:
    asked = traced(CALLS_WITH_A_MEGABYTE_AGAIN_AND_AGAIN, tracer="callTracer")
    assert limited.request("debug_traceCall", *asked)["error"] == TOO_LARGE


def test_data_returned_again_and_again_is_refused_at_the_nodes_own_limit(limited: LimitedNode) -> None:
    inner, outer = "0x" + "bb" * 20, "0x5f5f5f5f5f73" + "bb" * 20 + "5af1" + "5f50" * 100
    overrides = {PLACE: {"code": outer}, inner: {"code": RETURNS_A_MEGABYTE}}
    answer = limited.request("debug_traceCall", {"to": PLACE}, "latest", {"stateOverrides": overrides, "enableReturnData": True})
    assert answer["error"] == TOO_LARGE


def test_a_simulation_of_calls_that_return_much_is_refused(limited: LimitedNode) -> None:
    calls = [{"to": PLACE, "gas": hex(3_000_000)}] * 15
    block = {"stateOverrides": {PLACE: {"code": RETURNS_A_MEGABYTE}}, "calls": calls}
    assert limited.request("eth_simulateV1", {"blockStateCalls": [block]})["error"] == TOO_LARGE
    few = {**block, "calls": calls[:2]}
    assert "result" in limited.request("eth_simulateV1", {"blockStateCalls": [few]})


def test_a_blocks_traces_share_their_room(limited: LimitedNode) -> None:
    hashes = _sealed_together(limited, [EIGHT_WORDS_FIFTY_TIMES] * 3)
    room = {"held_bytes_max": 150_000}
    assert all("result" in limited.request("debug_traceTransaction", item, **room) for item in hashes)
    number = limited.request("eth_blockNumber")["result"]
    assert limited.request("debug_traceBlockByNumber", number, **room)["error"] == TOO_LARGE
    whole = limited.request("debug_traceBlockByNumber", number)["result"]
    assert whole == [{"txHash": item, "result": limited.request("debug_traceTransaction", item)["result"]} for item in hashes]


def test_transactions_run_again_end_with_the_requests_time(limited: LimitedNode) -> None:
    first, second = _sealed_together(limited, [ENDLESS_LOOP, "0x00"], gas=2**24)
    for asked in (first, second):  # the one, and the one that comes after it
        started = time.monotonic()
        assert limited.request("debug_traceTransaction", asked, {"tracer": "callTracer"}, seconds=0.05)["error"] == TIMED_OUT
        assert time.monotonic() - started < 20


def test_the_pending_block_ends_with_the_requests_time(limited: LimitedNode) -> None:
    limited.request("evm_setAutomine", False)
    limited.request("eth_sendRawTransaction", limited.transaction(data=ENDLESS_LOOP, gas=2**22))
    for asked in (("eth_getBlockByNumber", "pending", False), ("eth_getBlockTransactionCountByNumber", "pending")):
        assert limited.request(*asked, seconds=0.05)["error"] == TIMED_OUT
    assert len(limited.request("eth_getBlockByNumber", "pending", False)["result"]["transactions"]) == 1
    limited.request("evm_mine")
    limited.request("evm_setAutomine", True)


def test_a_blocks_receipts_and_logs_of_a_thousand_entries_are_answered_whole(limited: LimitedNode) -> None:
    [sent] = _sealed_together(limited, [LOGS_A_THOUSAND_TIMES], gas=2_000_000)
    [receipt] = limited.request("eth_getBlockReceipts", "latest")["result"]
    assert (receipt["transactionHash"], receipt["status"], len(receipt["logs"])) == (sent, "0x1", 1_000)
    assert limited.request("eth_getLogs", {"fromBlock": "latest"})["result"] == receipt["logs"]
    assert limited.request("eth_getLogs", {"fromBlock": "latest"}, held_bytes_max=10_000)["error"] == TOO_LARGE


@pytest.mark.parametrize("asked", [ENDLESS, MANY_ROUNDS], ids=["endless loops", "a precompile that nothing interrupts"])
def test_a_node_that_is_told_to_stop_does_not_wait_for_long_calls(tmp_path: Path, asked: tuple[str, list[Any]]) -> None:
    with RunningNode(tmp_path / "data", ("--operator", OPERATOR.address)) as node:
        batch = [{"jsonrpc": "2.0", "id": number, "method": asked[0], "params": asked[1]} for number in range(20)]
        with _posted(node, batch):
            sealed = node.send(OPERATOR, to=PLACE, value=1)["transactionHash"]  # answered while the batch is
            started = time.monotonic()
            assert node.stop() == 0
            assert time.monotonic() - started < 30
        assert node.start().call("eth_getTransactionReceipt", sealed)["status"] == "0x1"


def _posted(node: RunningNode, batch: list[dict[str, Any]]) -> socket.socket:
    """The connection on which the whole batch is sent and no answer was read."""
    body = json.dumps(batch).encode()
    host, port = node.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n")
    connection.sendall(b"content-length: %d\r\n\r\n" % len(body) + body)
    return connection


def _sealed_together(node: LimitedNode, codes: list[str], **fields: Any) -> list[str]:
    """Creation codes, run in one block."""
    node.request("evm_setAutomine", False)
    sent = [node.request("eth_sendRawTransaction", node.transaction(data=code, **fields))["result"] for code in codes]
    node.request("evm_mine")
    node.request("evm_setAutomine", True)
    assert len(node.request("eth_getBlockByNumber", "latest", False)["result"]["transactions"]) == len(codes)
    return sent
