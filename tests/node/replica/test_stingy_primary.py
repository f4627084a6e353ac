"""A primary whose answers end after a few bytes is followed all the same: what did not fit into one answer is asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from node.chain.budget import Budget
from node.replica.primary import Primary, PrimaryUnreachable
from tests.node.replica.processes import RunningReplica, Withheld, lying, replica_of
from tests.node.rpc.limited_node import LimitedNode, limited_node
from tests.node.running_node import run_node_command

BLOCKS = 20
SOMEBODY = "0x" + "11" * 20
STINGY = partial(Budget, answers_bytes_max=4_000)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LimitedNode]:
    with limited_node(tmp_path_factory.mktemp("node") / "data") as node:
        for _ in range(BLOCKS):
            sent = node.request("eth_sendRawTransaction", node.transaction(to=SOMEBODY, value=1))["result"]
            assert node.request("eth_getTransactionReceipt", sent)["result"]["status"] == "0x1"
        yield node


def test_a_replica_follows_it_to_its_head(node: LimitedNode, tmp_path: Path) -> None:
    with node.serving(STINGY) as client:
        with Primary(str(client.base_url)) as primary:
            assert [sealed.number for sealed in primary.blocks(1, 8)] == [1, 2]
        with RunningReplica(tmp_path / "replica", replica_of(str(client.base_url))) as replica:
            replica.wait_for_block(BLOCKS)
            head = replica.call("eth_getBlockByNumber", hex(BLOCKS), False)["hash"]
    assert head == node.request("eth_getBlockByNumber", hex(BLOCKS), False)["result"]["hash"]


def test_a_store_is_repaired_from_it(node: LimitedNode, tmp_path: Path) -> None:
    with node.serving(Budget) as client, RunningReplica(tmp_path / "replica", replica_of(str(client.base_url))) as replica:
        replica.wait_for_block(BLOCKS)
    for path in (tmp_path / "replica" / "chain").glob("*.log"):
        path.write_bytes(b"junk" * 1_000)
    with node.serving(STINGY) as client:
        ran = run_node_command("repair", "--data", str(tmp_path / "replica"), "--from", str(client.base_url))
    assert ran.returncode == 0, ran.stderr
    assert run_node_command("verify", "--data", str(tmp_path / "replica")).returncode == 0


def test_a_primary_that_gives_no_block_at_all_cannot_be_reached(node: LimitedNode) -> None:
    def lie(method: str, params: list[object], result: object) -> object:
        if method == "debug_getRawBlock":
            raise Withheld
        return result

    with (
        node.serving(Budget) as client,
        lying(str(client.base_url), lie) as url,
        Primary(url) as primary,
        pytest.raises(PrimaryUnreachable, match="refuses debug_getRawBlock: not for you"),
    ):
        primary.blocks(1, 8)


def test_a_block_without_its_seal_cannot_be_reached(node: LimitedNode) -> None:
    def lie(method: str, params: list[object], result: object) -> object:
        return None if method == "splittally_getSeal" else result

    with (
        node.serving(Budget) as client,
        lying(str(client.base_url), lie) as url,
        Primary(url) as primary,
        pytest.raises(PrimaryUnreachable, match="nothing for block 5 or its seal"),
    ):
        primary.blocks(5, 8)
