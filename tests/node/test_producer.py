"""The writing thread: wall clock, shutdown."""

import time
from pathlib import Path

import pytest

from node.chain.errors import StoreFailed
from tests.node.own_node import FIRST, own_node


def _wait_for_block(node: object, number: int) -> None:
    deadline = time.monotonic() + 60
    while node.head() < number:  # type: ignore[attr-defined]
        assert time.monotonic() < deadline, f"block {number} was not sealed"


def test_a_block_is_sealed_with_the_wall_clocks_time(tmp_path: Path) -> None:
    with own_node(tmp_path / "data", sandbox=False) as node:
        node.clock.seconds = FIRST + 100.7
        node.request("eth_sendRawTransaction", node.transfer(0))
        _wait_for_block(node, 1)
        assert node.history.head.timestamp == FIRST + 100


def test_blocks_wait_for_a_clock_that_was_set_back_and_nothing_is_lost(tmp_path: Path) -> None:
    with own_node(tmp_path / "data", sandbox=False) as node:
        node.clock.seconds = FIRST - 50
        assert "result" in node.request("eth_sendRawTransaction", node.transfer(0))
        assert "result" in node.request("eth_sendRawTransaction", node.transfer(1))
        assert node.head() == 0
        node.clock.seconds = FIRST
        _wait_for_block(node, 1)
        assert node.history.head.timestamp == FIRST
        assert len(node.history.receipts(1)) == 2


def test_a_defect_of_the_producers_own_refuses_what_is_sent_from_then_on_and_reads_go_on(tmp_path: Path) -> None:
    with own_node(tmp_path / "data", sandbox=True) as node:
        assert "result" in node.request("eth_sendRawTransaction", node.transfer(0))
        _wait_for_block(node, 1)
        node.clock.seconds = float("nan")
        node.request("eth_sendRawTransaction", node.transfer(1))
        deadline = time.monotonic() + 60
        while node.producer.seals_at_once:
            assert time.monotonic() < deadline, "the thread ended in silence"
        for method, parameter in (("eth_sendRawTransaction", node.transfer(2)), ("evm_mine", None)):
            refused = node.request(method, *([parameter] if parameter else []))["error"]
            assert refused["code"] == -32000
            assert "the block producer failed: ValueError" in refused["message"]
        assert node.request("eth_blockNumber")["result"] == "0x1"


def test_a_node_that_shuts_down_takes_no_more_orders(tmp_path: Path) -> None:
    with own_node(tmp_path / "data", sandbox=True) as node:
        node.producer.stop()
        with pytest.raises(StoreFailed, match="shutting down"):
            node.producer.mine(1, None)
