"""What clients see of a replica: of a sandbox chain, over a WebSocket, and while it is behind."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.node.cell_contract import CREATION, word
from tests.node.replica.processes import RunningReplica, lying, replica_of
from tests.node.running_node import RpcFailure, RunningNode, run_node_command
from tests.node.sealed_chain import NOBODY, OPERATOR

YEAR_SECONDS = 31_536_000


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[RunningNode]:
    with RunningNode(tmp_path / "primary", ("--sandbox", "--operator", OPERATOR.address)) as running:
        yield running


def _request(socket: ClientConnection, method: str, *params: Any) -> Any:
    socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}))
    return _next(socket)


def _next(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=60))


def test_a_sandbox_chain_whose_time_was_set_is_followed_and_its_replica_turns_no_clock(primary: RunningNode, tmp_path: Path) -> None:
    primary.send(OPERATOR, to=NOBODY, value=1)
    primary.call("evm_increaseTime", YEAR_SECONDS)
    primary.call("evm_mine", {"blocks": 3})
    with RunningReplica(tmp_path / "replica", replica_of(primary.url)) as replica:
        assert replica.ready is not None
        assert replica.ready["sandbox"] is True
        replica.wait_for_block(4)
        for number in ("0x1", "0x2", "0x4"):
            assert replica.call("eth_getBlockByNumber", number, True) == primary.call("eth_getBlockByNumber", number, True)
        for method, params in (("evm_mine", []), ("evm_increaseTime", [1]), ("evm_setAutomine", [False])):
            with pytest.raises(RpcFailure, match="this node is a replica and seals nothing"):
                replica.call(method, *params)
        primary.call("evm_increaseTime", YEAR_SECONDS)
        sent = primary.send(OPERATOR, to=NOBODY, value=1)
        replica.wait_for_block(5)
        assert replica.call("eth_getTransactionReceipt", sent["transactionHash"]) == sent
        assert replica.stop() == 0
    assert '"verified_blocks": 6' in run_node_command("verify", "--data", str(replica.data)).stdout


def test_a_replica_pushes_what_its_primary_seals_over_a_websocket_and_takes_nothing_there(primary: RunningNode, tmp_path: Path) -> None:
    cell = primary.send(OPERATOR, data=CREATION)["contractAddress"]
    with RunningReplica(tmp_path / "replica", replica_of(primary.url)) as replica:
        replica.wait_for_block(1)
        with connect(replica.url.replace("http", "ws")) as socket:
            heads = _request(socket, "eth_subscribe", "newHeads")["result"]
            logs = _request(socket, "eth_subscribe", "logs", {"address": cell})["result"]
            receipts = [primary.send(OPERATOR, to=cell, data=word(value)) for value in (1, 2)]
            pushed = [_next(socket)["params"] for _ in range(4)]
            assert [item["result"]["hash"] for item in pushed if item["subscription"] == heads] == [item["blockHash"] for item in receipts]
            assert [item["result"] for item in pushed if item["subscription"] == logs] == [item["logs"][0] for item in receipts]
            refused = _request(socket, "eth_sendRawTransaction", primary.signed(OPERATOR, to=NOBODY))["error"]
            assert refused["code"] == -32000
            assert "this node is a replica" in refused["message"]


def test_a_replica_that_is_behind_says_how_far_and_one_that_is_not_says_no(primary: RunningNode, tmp_path: Path) -> None:
    primary.call("evm_mine", {"blocks": 3})
    behind = 10

    def hold_back(method: str, params: list[Any], result: Any) -> Any:
        """It shows a head ten blocks further than the blocks it gives."""
        return hex(int(result, 16) + behind) if method == "eth_blockNumber" else result

    with lying(primary.url, hold_back) as url, RunningReplica(tmp_path / "replica", replica_of(url)) as replica:
        replica.wait_for_block(3)
        assert replica.call("eth_syncing") == {"startingBlock": "0x0", "currentBlock": "0x3", "highestBlock": hex(3 + behind)}
        behind = 0
        while replica.call("eth_syncing") is not False:
            pass
        assert replica.call("eth_mining") is False
    assert primary.call("eth_syncing") is False
    assert primary.call("eth_mining") is True
