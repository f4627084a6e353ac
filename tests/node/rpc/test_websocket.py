"""One WebSocket: requests, batches and subscriptions; and who may not open one."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from web3 import AsyncWeb3, WebSocketProvider
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from node.rpc.eth.subscribe import SUBSCRIPTIONS_MAX
from node.rpc.server import BODY_BYTES_MAX
from tests.node.cell_contract import word
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")


class Socket:
    """Keeps what is pushed apart from what is answered."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.pushed: list[dict[str, Any]] = []

    def request(self, method: str, *params: Any, binary: bool = False) -> dict[str, Any]:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        self.connection.send(body.encode() if binary else body)
        while "id" not in (message := self._receive()):
            self.pushed.append(message["params"])
        return message

    def call(self, method: str, *params: Any) -> Any:
        return self.request(method, *params)["result"]

    def next_push(self, subscription: str) -> Any:
        while True:
            for message in self.pushed:
                if message["subscription"] == subscription:
                    self.pushed.remove(message)
                    return message["result"]
            self.pushed.append(self._receive()["params"])

    def _receive(self) -> dict[str, Any]:
        return dict(json.loads(self.connection.recv(timeout=60)))


@pytest.fixture
def socket(node: RunningNode) -> Iterator[Socket]:
    with connect(node.url.replace("http", "ws"), max_size=None) as connection:
        yield Socket(connection)


def test_text_and_binary_frames_are_answered_alike(node: RunningNode, socket: Socket) -> None:
    expected = node.request("eth_chainId")
    assert socket.request("eth_chainId") == socket.request("eth_chainId", binary=True) == expected


def test_a_batch_is_answered_as_one_frame(socket: Socket) -> None:
    requests = [{"jsonrpc": "2.0", "id": number, "method": "eth_blockNumber"} for number in range(3)]
    socket.connection.send(json.dumps(requests))
    assert [answer["id"] for answer in json.loads(socket.connection.recv(timeout=60))] == [0, 1, 2]


def test_what_is_no_json_is_refused_and_the_connection_stays(socket: Socket) -> None:
    socket.connection.send("{")
    assert json.loads(socket.connection.recv(timeout=60))["error"]["code"] == -32700
    assert socket.call("net_version")


def test_every_new_head_is_pushed_once_and_in_order(node: RunningNode, socket: Socket) -> None:
    subscription = socket.call("eth_subscribe", "newHeads")
    receipts = [node.send(OPERATOR, to=OPERATOR.address, value=1) for _ in range(3)]
    heads = [socket.next_push(subscription) for _ in receipts]
    assert [head["hash"] for head in heads] == [receipt["blockHash"] for receipt in receipts]
    assert "transactions" not in heads[0]


def test_only_the_logs_asked_for_are_pushed(node: RunningNode, socket: Socket, cell: str) -> None:
    subscription = socket.call("eth_subscribe", "logs", {"address": cell, "topics": [word(72)]})
    elsewhere = socket.call("eth_subscribe", "logs", {"address": OPERATOR.address})
    receipts = [node.send(OPERATOR, to=cell, data=word(value)) for value in (71, 72, 72)]
    assert [socket.next_push(subscription) for _ in range(2)] == [receipt["logs"][0] for receipt in receipts[1:]]
    assert socket.call("eth_unsubscribe", elsewhere) is True
    assert socket.pushed == []


def test_waiting_transactions_are_pushed_as_hashes_or_whole(node: RunningNode, socket: Socket) -> None:
    hashes = socket.call("eth_subscribe", "newPendingTransactions")
    whole = socket.call("eth_subscribe", "newPendingTransactions", True)
    receipt = node.send(OPERATOR, to=OPERATOR.address, value=3)
    assert socket.next_push(hashes) == receipt["transactionHash"]
    pushed = socket.next_push(whole)
    assert (pushed["hash"], pushed["value"], pushed["blockHash"]) == (receipt["transactionHash"], "0x3", None)


def test_nothing_is_pushed_after_unsubscribing(node: RunningNode, socket: Socket) -> None:
    ended, running = (socket.call("eth_subscribe", "newHeads") for _ in range(2))
    assert socket.call("eth_unsubscribe", ended) is True
    node.send(OPERATOR, to=OPERATOR.address, value=1)
    socket.next_push(running)
    assert all(message["subscription"] != ended for message in socket.pushed)
    assert socket.request("eth_unsubscribe", ended)["error"] == {"code": -32000, "message": "subscription not found"}


def test_a_connection_that_ends_leaves_the_others_alone(node: RunningNode, socket: Socket) -> None:
    subscription = socket.call("eth_subscribe", "newHeads")
    with connect(node.url.replace("http", "ws")) as other:
        Socket(other).call("eth_subscribe", "newHeads")
    node.send(OPERATOR, to=OPERATOR.address, value=1)
    assert socket.next_push(subscription)["number"]


def test_unknown_and_too_many_subscriptions_are_refused(socket: Socket) -> None:
    assert socket.request("eth_subscribe", "weather")["error"]["code"] == -32601
    assert socket.request("eth_subscribe", 5)["error"]["code"] == -32602
    for _ in range(SUBSCRIPTIONS_MAX):
        socket.call("eth_subscribe", "syncing")
    assert socket.request("eth_subscribe", "newHeads")["error"]["code"] == -32005


def test_plain_http_cannot_subscribe(node: RunningNode) -> None:
    assert node.request("eth_subscribe", "newHeads")["error"] == {"code": -32601, "message": "notifications not supported"}


@pytest.mark.parametrize("headers", [{"Origin": "https://example.org"}, {"Origin": "null"}])
def test_a_web_page_from_elsewhere_cannot_connect(node: RunningNode, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus), connect(node.url.replace("http", "ws"), additional_headers=headers):
        pass
    with connect(node.url.replace("http", "ws"), additional_headers={"Origin": "http://localhost:3000"}) as connection:
        assert Socket(connection).call("net_version")


@pytest.mark.parametrize("binary", [False, True])
def test_frames_of_megabytes_go_both_ways(socket: Socket, binary: bool) -> None:
    """Well above what fits one read, and above the million bytes at which many clients' defaults stop."""
    echo = "0x365f5f37365ff3"  # calldata copied to memory and returned
    data = "0x" + "a5" * 1_500_000
    overrides = {OPERATOR.address: {"code": echo}}
    request = {"to": OPERATOR.address, "input": data, "gas": hex(1 << 26)}
    answer = socket.request("eth_call", request, "latest", overrides, binary=binary)
    assert answer["result"] == data


def test_the_first_question_for_a_receipt_waits_for_its_block(node: RunningNode, socket: Socket) -> None:
    subscription = socket.call("eth_subscribe", "newHeads")
    sent = socket.call("eth_sendRawTransaction", node.signed(OPERATOR, to=OPERATOR.address))
    assert socket.call("eth_getTransactionReceipt", sent)["blockHash"] == socket.next_push(subscription)["hash"]


def test_a_message_above_the_limit_ends_the_connection(socket: Socket) -> None:
    with pytest.raises(ConnectionClosedError):
        socket.request("web3_sha3", "0x" + "00" * BODY_BYTES_MAX)


def test_web3_subscribes_over_its_own_provider(node: RunningNode) -> None:
    async def first_head() -> tuple[int, Any]:
        async with AsyncWeb3(WebSocketProvider(node.url.replace("http", "ws"))) as client:
            await client.eth.subscribe("newHeads")
            receipt = await asyncio.to_thread(lambda: node.send(OPERATOR, to=OPERATOR.address, value=1))
            async for message in client.socket.process_subscriptions():
                return int(receipt["blockNumber"], 16), message["result"]
        raise AssertionError

    number, head = asyncio.run(first_head())
    assert head["number"] == number


def test_a_node_with_open_connections_ends_promptly(tmp_path: Any) -> None:
    with RunningNode(tmp_path / "data") as running, connect(running.url.replace("http", "ws")) as connection:
        Socket(connection).call("eth_subscribe", "newHeads")
        assert running.stop() == 0
