"""Time on a sandbox chain, and its refusal on any other."""

import time
from pathlib import Path

import pytest

from tests.node.running_node import RpcFailure, RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
FIRST = 1_577_836_800  # 2020-01-01


def _timestamp(node: RunningNode) -> int:
    return int(node.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


def _sandbox(data: Path) -> RunningNode:
    return RunningNode(data, ("--sandbox", "--timestamp", str(FIRST), "--operator", OPERATOR.address))


def test_a_sandbox_starts_at_its_genesis_time_and_follows_what_is_set(tmp_path: Path) -> None:
    with _sandbox(tmp_path / "data") as node:
        node.send(OPERATOR, to=OPERATOR.address)
        assert FIRST <= _timestamp(node) <= FIRST + 60
        assert node.call("evm_setNextBlockTimestamp", FIRST + 86_400) is None
        node.send(OPERATOR, to=OPERATOR.address)
        assert _timestamp(node) == FIRST + 86_400
        node.call("evm_increaseTime", hex(3_600))
        node.send(OPERATOR, to=OPERATOR.address)
        assert FIRST + 86_400 + 3_600 <= _timestamp(node) <= FIRST + 86_400 + 3_660


def test_the_set_time_survives_kill_and_restart(tmp_path: Path) -> None:
    node = _sandbox(tmp_path / "data").start()
    node.call("evm_setNextBlockTimestamp", FIRST + 1_000_000)
    node.kill()
    with node:
        node.send(OPERATOR, to=OPERATOR.address)
        assert _timestamp(node) == FIRST + 1_000_000
        node.stop()
    with node:
        node.send(OPERATOR, to=OPERATOR.address)
        assert FIRST + 1_000_000 <= _timestamp(node) <= FIRST + 1_000_060


def test_an_empty_block_is_mined_on_request(tmp_path: Path) -> None:
    with _sandbox(tmp_path / "data") as node:
        assert node.call("evm_mine") == "0x0"
        assert node.call("evm_mine", {"blocks": 3, "timestamp": FIRST + 500}) == "0x0"
        assert node.call("eth_blockNumber") == "0x4"
        assert FIRST + 500 <= _timestamp(node) <= FIRST + 560


def test_time_before_the_heads_is_refused(node: RunningNode) -> None:
    with pytest.raises(RpcFailure) as refused:
        node.call("evm_setNextBlockTimestamp", _timestamp(node) - 1)
    assert refused.value.code == -32602
    for bad in (-1, "0x01", 1.5, True, None):
        with pytest.raises(RpcFailure):
            node.call("evm_increaseTime", bad)


def test_a_chain_that_is_no_sandbox_has_no_such_methods_and_keeps_to_the_wall_clock(tmp_path: Path) -> None:
    with RunningNode(tmp_path / "data", ("--operator", OPERATOR.address)) as node:
        for method in ("evm_setNextBlockTimestamp", "evm_increaseTime", "evm_mine"):
            with pytest.raises(RpcFailure) as refused:
                node.call(method, 1)
            assert refused.value.code == -32601
        before = int(time.time())
        node.send(OPERATOR, to=OPERATOR.address)
        assert before <= _timestamp(node) <= int(time.time())


def test_an_interval_of_centuries_stops_nothing_else(tmp_path: Path) -> None:
    with _sandbox(tmp_path / "data") as node:
        node.call("evm_setIntervalMining", hex((1 << 48) - 1))
        node.call("evm_mine")
        assert node.call("evm_setAutomine", True) is True
        node.send(OPERATOR, to=OPERATOR.address)
        assert int(node.call("eth_blockNumber"), 16) == 2
