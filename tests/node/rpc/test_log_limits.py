"""A log query costs what it may: so many alternatives, a request's time, and so many alternatives in all filters that wait."""

import json
import time
from collections.abc import Iterator

import pytest
from websockets.sync.client import connect

from node.chain.budget import Budget
from tests.node.rpc.limited_node import LimitedNode, limited_node
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
TOO_MANY = {"code": -32602, "message": "exceed max addresses or topics per search position"}
ASKING = ("eth_getLogs", "eth_newFilter")


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LimitedNode]:
    with limited_node(tmp_path_factory.mktemp("logs") / "data") as node:
        for _ in range(10):
            node.request("evm_mine", {"blocks": 1_000})
        yield node


def _addresses(count: int) -> list[str]:
    return [f"0x{number:040x}" for number in range(count)]


def _topics(count: int) -> list[str]:
    return [f"0x{number:064x}" for number in range(count)]


@pytest.mark.parametrize("method", ASKING)
def test_a_thousand_alternatives_are_looked_for_and_not_one_more(node: RunningNode, method: str) -> None:
    positions = [_topics(1_000), None, _topics(1_000)]
    assert "result" in node.request(method, {"address": _addresses(1_000), "topics": positions})
    assert node.request(method, {"address": _addresses(1_001)})["error"] == TOO_MANY
    assert node.request(method, {"topics": [None, _topics(1_001)]})["error"] == TOO_MANY


def test_a_thousand_alternatives_find_what_one_of_them_finds(node: RunningNode, cell: str) -> None:
    logs = node.send(OPERATOR, to=cell, data=f"0x{77:064x}")["logs"]
    span = {"fromBlock": logs[0]["blockNumber"]}
    assert node.call("eth_getLogs", {**span, "address": [*_addresses(999), cell], "topics": [_topics(1_000)]}) == logs
    assert node.call("eth_getLogs", {**span, "address": [*_addresses(999), cell], "topics": [_topics(77)]}) == []


def test_a_query_over_many_blocks_ends_with_the_requests_time(limited: LimitedNode) -> None:
    asked = {"fromBlock": "0x0", "toBlock": "0x2000", "address": _addresses(1_000), "topics": [_topics(1_000)] * 4}
    started = time.monotonic()
    assert limited.request("eth_getLogs", asked, seconds=0.05)["error"] == {"code": -32002, "message": "request timed out"}
    assert time.monotonic() - started < 20
    assert limited.request("eth_getLogs", asked)["result"] == []


def test_filters_that_wait_hold_so_many_alternatives_together(limited: LimitedNode) -> None:
    large = ("eth_newFilter", [{"address": _addresses(1_000), "topics": [_topics(1_000)] * 4}])
    with limited.serving(Budget) as client:  # one server: the filters are its own

        def install() -> dict[str, object]:
            return dict(client.post("/", json={"jsonrpc": "2.0", "id": 1, "method": large[0], "params": large[1]}).json())

        answers = [install() for _ in range(21)]
        assert all("result" in answer for answer in answers[:20])
        assert answers[20]["error"] == {"code": -32005, "message": "too many addresses and topics: at most 100000 in all filters"}
        gone = {"jsonrpc": "2.0", "id": 1, "method": "eth_uninstallFilter", "params": [answers[0]["result"]]}
        assert client.post("/", json=gone).json()["result"] is True
        assert "result" in install()


def test_a_connections_subscriptions_hold_so_many_alternatives_together(node: RunningNode) -> None:
    criteria = {"address": _addresses(1_000), "topics": [_topics(1_000)] * 4}
    with connect(node.url.replace("http", "ws")) as socket:

        def request(method: str, *params: object) -> dict[str, object]:
            socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
            return dict(json.loads(socket.recv()))

        first, second, third = (request("eth_subscribe", "logs", criteria) for _ in range(3))
        assert "result" in second
        assert third["error"] == {"code": -32005, "message": "too many addresses and topics: at most 10000 per connection"}
        assert request("eth_unsubscribe", first["result"])["result"] is True
        assert "result" in request("eth_subscribe", "logs", criteria)
