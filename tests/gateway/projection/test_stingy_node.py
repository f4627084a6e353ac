"""A node that gives little in one answer is read in more of them; what it refuses is never taken for a reorganization."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.chain.connection import Call, Chain, NodeRefused
from gateway.purchases.shortfalls import SqlShortfalls
from gateway.rounds.completion import Completions
from gateway.rounds.follower import Follower
from node.chain.budget import Budget
from tests.builders.coalition import CoalitionBuilder
from tests.builders.projection_rows import projection_rows
from tests.node.rpc.limited_node import limited_node

SOMEBODY = "0x" + "11" * 20


class StingyChain(Chain):
    """Logs of so many blocks at a time, and no block at all from `hidden` on."""

    def __init__(self, rpc_url: str, blocks_max: int, hidden: int | None = None) -> None:
        super().__init__(rpc_url)
        self.blocks_max, self.hidden = blocks_max, hidden
        self.refused = 0

    def call_all(self, calls: Sequence[Call]) -> list[Any]:
        return [self._given(method, params, answer) for (method, params), answer in zip(calls, super().call_all(calls), strict=True)]

    def _given(self, method: str, params: Sequence[Any], answer: Any) -> Any:
        asks_much = method == "eth_getLogs" and int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) >= self.blocks_max
        is_hidden = method == "eth_getBlockByNumber" and self.hidden is not None and int(params[0], 16) >= self.hidden
        if not asks_much and not is_hidden:
            return answer
        self.refused += 1
        return NodeRefused(method, -32005, "too much", b"")


def test_a_batch_that_does_not_fit_into_one_answer_is_asked_for_in_parts(tmp_path: Path) -> None:
    calls: list[Call] = [("eth_getBlockByNumber", (hex(number), False)) for number in range(20)]
    calls[7] = ("eth_nonsense", ())
    with limited_node(tmp_path / "data") as node:
        for _ in range(19):
            sent = node.request("eth_sendRawTransaction", node.transaction(to=SOMEBODY, value=1))["result"]
            assert node.request("eth_getTransactionReceipt", sent)["result"]["status"] == "0x1"
        for answers_bytes_max in (1, 5_000, 10**6):  # one answer at a time; three; all
            with node.serving(partial(Budget, answers_bytes_max=answers_bytes_max)) as client:
                chain = Chain(str(client.base_url))
                found = chain.call_all(calls)
                chain.close()
            assert isinstance(found[7], NodeRefused)
            assert found[7].code == -32601
            assert [int(block["number"], 16) for block in [*found[:7], *found[8:]]] == [*range(7), *range(8, 20)]


def test_what_is_refused_alone_stays_refused(tmp_path: Path) -> None:
    with limited_node(tmp_path / "data") as node, node.serving(partial(Budget, seconds=0.0)) as client:
        chain = Chain(str(client.base_url))
        found = chain.call_all([("eth_blockNumber", ()), ("eth_chainId", ())])
        chain.close()
    assert [answer.code for answer in found] == [-32002, -32002]


def test_the_projection_is_the_same_from_a_node_that_gives_few_logs_at_a_time(coalition: CoalitionBuilder) -> None:
    coalition.purchase(1, next(iter(coalition.member_keys)), 10_000)
    coalition.work_off()
    rows = projection_rows(coalition.database)
    stingy = StingyChain(coalition.node.url, 2)
    Follower(coalition.database, stingy, coalition.coalition, Completions(), SqlShortfalls()).rebuild()
    stingy.close()
    assert stingy.refused > 2
    assert projection_rows(coalition.database) == rows


def test_blocks_that_are_refused_leave_the_projection_as_it_is(coalition: CoalitionBuilder) -> None:
    coalition.work_off()
    rows = projection_rows(coalition.database)
    head = coalition.chain.head_number()
    coalition.node.call("evm_mine", coalition.now + 1)
    mute = StingyChain(coalition.node.url, 50, hidden=head + 1)
    follower = Follower(coalition.database, mute, coalition.coalition, Completions(), SqlShortfalls())
    with pytest.raises(NodeRefused, match="too much"):
        follower.follow()
    mute.close()
    assert projection_rows(coalition.database) == rows
    assert coalition.worker.follower.follow()
