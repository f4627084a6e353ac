"""What the audit reads from a node, and how it bears the node's bounds."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.audit.gather_chain import gather_chain
from gateway.audit.gather_store import gather_store
from gateway.chain.artifacts import points_ledger
from gateway.chain.connection import Chain, NodeRefused
from gateway.values.errors import Unavailable
from tests.gateway.audit.live_ledger import LiveLedger


class StingyChain(Chain):
    """A node that answers for a few blocks of logs at a time."""

    def __init__(self, rpc_url: str, blocks_max: int) -> None:
        super().__init__(rpc_url)
        self.blocks_max = blocks_max

    def call(self, method: str, *params: Any) -> Any:
        if method == "eth_getLogs" and int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) >= self.blocks_max:
            raise NodeRefused(method, -32005, "too many blocks", b"")
        return super().call(method, *params)


def test_a_node_that_gives_few_logs_at_a_time_gives_the_same_evidence(honest: LiveLedger) -> None:
    store = gather_store(honest.database)
    block = max(store.projection["ledger_blocks"])[0]
    stingy = StingyChain(honest.node.url, 3)
    assert gather_chain(stingy, store.coalition, block) == gather_chain(honest.chain, store.coalition, block)
    stingy.close()


def test_a_node_that_gives_no_logs_at_all_is_named(honest: LiveLedger) -> None:
    store = gather_store(honest.database)
    mute = StingyChain(honest.node.url, 0)
    with pytest.raises(NodeRefused, match="too many blocks"):
        gather_chain(mute, store.coalition, 1)
    mute.close()


def test_a_node_behind_the_projection_is_named(honest: LiveLedger) -> None:
    store = gather_store(honest.database)
    with pytest.raises(Unavailable, match="does not have block"):
        gather_chain(honest.chain, store.coalition, 10**6 // 400)


def test_reserved_points_read_from_storage_are_what_the_contract_answers(honest: LiveLedger) -> None:
    store = gather_store(honest.database)
    block = max(store.projection["ledger_blocks"])[0]
    holdings = gather_chain(honest.chain, store.coalition, block).holdings
    assert any(holding.reserved for holding in holdings.values())
    for (member, lot), holding in holdings.items():
        answer = honest.chain.eth_call(honest.address, points_ledger().call("pointsOf", member, lot))
        assert points_ledger().returned("pointsOf", answer) == (holding.held, holding.reserved)
