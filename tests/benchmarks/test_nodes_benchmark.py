"""The comparison with other nodes, held against our own: what its README says of it is what the comparison finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.benchmarks.client_methods import OVER_HTTP, OVER_WEBSOCKET
from scripts.benchmarks.json_rpc import RpcFailure
from scripts.benchmarks.node_behavior import KILLS, is_unknown_method
from scripts.benchmarks.nodes import measure, shown
from scripts.benchmarks.peers import peers

UNKNOWN = [
    {"code": -32601, "message": "Method not found"},
    {"code": -32004, "message": "Method eth_foo is not supported"},
    {"code": -32700, "message": "The method eth_foo does not exist/is not available"},
    {"code": -32601, "message": "RPC Endpoint has not been implemented: eth_foo"},
]


@pytest.mark.parametrize("error", UNKNOWN, ids=lambda error: str(error["code"]))
def test_an_unknown_method_is_known_as_one_by_code_or_words(error: dict[str, object]) -> None:
    assert is_unknown_method(RpcFailure(error))


@pytest.mark.parametrize("message", ["missing value for required argument 0", "execution reverted", "block not found"])
def test_a_complaint_about_parameters_is_an_answer(message: str) -> None:
    assert not is_unknown_method(RpcFailure({"code": -32602, "message": message}))


def test_49_methods_are_asked_for_once_each() -> None:
    assert len({*OVER_HTTP, *OVER_WEBSOCKET}) == len(OVER_HTTP) + len(OVER_WEBSOCKET) == 49


def test_a_peer_that_is_not_installed_is_left_out_with_the_reason(tmp_path: Path) -> None:
    left_out = {peer.name: measure(peer, tmp_path, 0, 0) for peer in peers(tmp_path, tmp_path / "anvil") if peer.missing}
    assert {"anvil", "ganache", "hardhat"} <= set(left_out)
    assert all("not installed" in figures["left_out"] for figures in left_out.values())


@pytest.mark.deep
def test_our_node_keeps_proves_and_remembers(tmp_path: Path) -> None:
    ours = peers(tmp_path, None)[0]
    figures = measure(ours, tmp_path, 1_000, 60)
    assert figures["durability"] == {"killed": KILLS, "kept": KILLS}
    assert {figures[key] for key in ("proof_at_head", "proof_back", "call_back", "balance_back")} == {True}
    assert figures["methods"]["unknown"] == ["eth_fillTransaction"]
    assert figures["full"]["entries_per_s"] > 0
    assert shown({"machine": {}, "members": 1_000, "peers": {ours.name: figures}}).row_count > 0
