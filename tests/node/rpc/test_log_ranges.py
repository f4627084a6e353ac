"""A range that reaches past the head is refused: "none" and "not yet" are different answers."""

from typing import Any

import pytest

from tests.node.cell_contract import word
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
NOT_YET = {"code": -32602, "message": "block range extends beyond current head block"}
BACKWARDS = {"code": -32602, "message": "invalid block range params"}


def _head(node: RunningNode) -> int:
    return int(node.call("eth_blockNumber"), 16)


def _logs(node: RunningNode, **bounds: Any) -> Any:
    """As eth_getLogs and a filter's eth_getFilterLogs answer: alike."""
    direct = node.request("eth_getLogs", bounds)
    installed = node.request("eth_newFilter", bounds)
    by_filter = node.request("eth_getFilterLogs", installed["result"]) if "result" in installed else installed
    assert {name: direct[name] for name in direct if name != "id"} == {name: by_filter[name] for name in by_filter if name != "id"}
    return direct.get("result", direct.get("error"))


def test_logs_up_to_the_head_are_answered_also_where_there_are_none(node: RunningNode) -> None:
    head = hex(_head(node))
    nobody = "0x" + "77" * 20
    assert _logs(node, fromBlock="0x0", toBlock=head, address=nobody) == []
    assert _logs(node, fromBlock=head, toBlock=head, address=nobody) == []
    assert _logs(node, fromBlock=head, address=nobody) == []


def test_logs_of_blocks_above_the_head_are_refused(node: RunningNode, cell: str) -> None:
    node.send(OPERATOR, to=cell, data=word(70))
    head = _head(node)
    for first, last in (("0x0", 1), ("latest", 1), (hex(head), 1), (hex(head + 1), 1), (hex(head + 5), 9), ("earliest", 2**62)):
        assert _logs(node, fromBlock=first, toBlock=hex(head + last)) == NOT_YET
    assert _logs(node, toBlock=hex(head + 1)) == NOT_YET


@pytest.mark.parametrize("last", ["latest", "pending", "safe", "finalized", None])
def test_logs_from_above_the_head_up_to_the_head_are_refused(node: RunningNode, last: str | None) -> None:
    assert _logs(node, fromBlock=hex(_head(node) + 1), toBlock=last) == BACKWARDS


def test_logs_that_a_filter_waits_for_come_once_the_head_is_there(node: RunningNode, cell: str) -> None:
    wanted = hex(_head(node) + 1)
    installed = node.call("eth_newFilter", {"address": cell, "fromBlock": wanted, "toBlock": wanted})
    assert node.request("eth_getFilterLogs", installed)["error"] == NOT_YET
    receipt = node.send(OPERATOR, to=cell, data=word(71))
    assert node.call("eth_getFilterLogs", installed) == receipt["logs"] != []


def test_a_fee_history_of_blocks_above_the_head_is_refused(node: RunningNode) -> None:
    head = _head(node)
    assert node.call("eth_feeHistory", "0x1", hex(head), [])["oldestBlock"] == hex(head)
    refused = {"code": -32602, "message": f"request beyond head block: requested {head + 1}, head {head}"}
    assert node.request("eth_feeHistory", "0x2", hex(head + 1), [])["error"] == refused
