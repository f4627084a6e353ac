"""Filters that are asked again and again: what is new comes once, what is not theirs never, and they do not pile up."""

import pytest

from node.chain.errors import TooMuch
from node.rpc.errors import RpcError
from node.rpc.eth.polling import FILTERS_MAX, IDLE_SECONDS_MAX, InstalledFilter, InstalledFilters
from tests.node.cell_contract import word
from tests.node.own_node import WallClock
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
NOT_FOUND = {"code": -32000, "message": "filter not found"}


def test_a_block_filter_names_each_new_block_once(node: RunningNode) -> None:
    installed = node.call("eth_newBlockFilter")
    assert node.call("eth_getFilterChanges", installed) == []
    receipts = [node.send(OPERATOR, to=OPERATOR.address, value=1) for _ in range(2)]
    assert node.call("eth_getFilterChanges", installed) == [receipt["blockHash"] for receipt in receipts]
    assert node.call("eth_getFilterChanges", installed) == []


def test_a_log_filter_brings_new_logs_and_all_of_its_range_on_request(node: RunningNode, cell: str) -> None:
    before = node.send(OPERATOR, to=cell, data=word(80))
    installed = node.call("eth_newFilter", {"address": cell, "topics": [[word(80), word(81)]], "fromBlock": before["blockNumber"]})
    after = [node.send(OPERATOR, to=cell, data=word(value)) for value in (81, 82)]
    assert node.call("eth_getFilterChanges", installed) == after[0]["logs"]
    assert node.call("eth_getFilterChanges", installed) == []
    assert node.call("eth_getFilterLogs", installed) == before["logs"] + after[0]["logs"]


def test_a_log_filter_brings_nothing_from_outside_its_range(node: RunningNode, cell: str) -> None:
    head = int(node.call("eth_blockNumber"), 16)
    later = node.call("eth_newFilter", {"address": cell, "fromBlock": hex(head + 2)})
    past = node.call("eth_newFilter", {"address": cell, "fromBlock": "0x0", "toBlock": hex(head)})
    receipts = [node.send(OPERATOR, to=cell, data=word(value)) for value in (83, 84)]
    assert node.call("eth_getFilterChanges", later) == receipts[1]["logs"]
    assert node.call("eth_getFilterChanges", past) == []


def test_a_pending_filter_names_what_entered_the_pool(node: RunningNode) -> None:
    installed = node.call("eth_newPendingTransactionFilter")
    receipt = node.send(OPERATOR, to=OPERATOR.address, value=1)
    assert node.call("eth_getFilterChanges", installed) == [receipt["transactionHash"]]
    assert node.call("eth_getFilterChanges", installed) == []


def test_an_uninstalled_or_unknown_filter_is_not_found(node: RunningNode) -> None:
    installed = node.call("eth_newBlockFilter")
    assert node.call("eth_uninstallFilter", installed) is True
    assert node.call("eth_uninstallFilter", installed) is False
    assert node.request("eth_getFilterChanges", installed)["error"] == NOT_FOUND
    blocks_only = node.call("eth_newBlockFilter")
    assert node.request("eth_getFilterLogs", blocks_only)["error"] == NOT_FOUND


def test_a_range_that_runs_backwards_is_refused(node: RunningNode) -> None:
    assert node.request("eth_newFilter", {"fromBlock": "0x2", "toBlock": "0x1"})["error"]["code"] == -32602


def test_a_filter_over_one_block_alone_is_refused(node: RunningNode) -> None:
    block_hash = node.call("eth_getBlockByNumber", "latest", False)["hash"]
    assert node.request("eth_newFilter", {"blockHash": block_hash})["error"]["code"] == -32602
    assert isinstance(node.call("eth_getLogs", {"blockHash": block_hash}), list)


def test_a_filter_nobody_asks_expires_and_one_that_is_asked_stays() -> None:
    clock = WallClock()
    filters = InstalledFilters(clock)
    forgotten, used = (filters.install(InstalledFilter(list)) for _ in range(2))
    clock.seconds += IDLE_SECONDS_MAX - 1
    filters.find(used)
    clock.seconds += 2
    filters.find(used)
    with pytest.raises(RpcError):
        filters.find(forgotten)


def test_filters_are_bounded_and_expired_ones_make_room() -> None:
    clock = WallClock()
    filters = InstalledFilters(clock)
    for _ in range(FILTERS_MAX):
        filters.install(InstalledFilter(list))
    with pytest.raises(TooMuch):
        filters.install(InstalledFilter(list))
    clock.seconds += IDLE_SECONDS_MAX + 1
    filters.install(InstalledFilter(list))
