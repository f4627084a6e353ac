"""A replica shows what its primary sealed, and nothing that it has not executed itself."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.chain.blocks import Block
from node.chain.following import decode_block
from node.chain.sealing import seal, seal_holds
from node.config import DataDirectory
from tests.node.cell_contract import CREATION, word
from tests.node.replica.processes import Lie, RunningReplica, lying, replica_of
from tests.node.replica.two_stories import begin_two_stories
from tests.node.running_node import RpcFailure, RunningNode, run_node_command
from tests.node.sealed_chain import NOBODY, OPERATOR, send_some_of_everything

ARGUMENTS = ("--operator", OPERATOR.address)


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[RunningNode]:
    with RunningNode(tmp_path / "primary", ARGUMENTS) as running:
        yield running


def _head(node: RunningNode) -> int:
    return int(node.call("eth_blockNumber"), 16)


def test_a_replica_serves_the_same_blocks_receipts_state_and_seals(primary: RunningNode, tmp_path: Path) -> None:
    send_some_of_everything(primary)
    with RunningReplica(tmp_path / "replica", replica_of(primary.url)) as replica:
        replica.wait_for_block(_head(primary))
        cell = primary.send(OPERATOR, data=CREATION)["contractAddress"]
        primary.send(OPERATOR, to=cell, data=word(7))
        replica.wait_for_block(_head(primary))
        for number in range(_head(primary) + 1):
            for method in ("debug_getRawBlock", "debug_getRawReceipts", "splittally_getSeal", "eth_getBlockReceipts"):
                assert replica.call(method, hex(number)) == primary.call(method, hex(number))
        for method, params in (
            ("eth_getProof", [cell, ["0x0"], "latest"]),
            ("eth_call", [{"to": cell}, "latest"]),
            ("splittally_getGenesis", []),
            ("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "latest"}]),
        ):
            assert replica.call(method, *params) == primary.call(method, *params)
        head = _head(primary)
        assert replica.stop() == 0
    assert f'"verified_blocks": {head + 1}' in run_node_command("verify", "--data", str(replica.data)).stdout


def test_a_replica_takes_no_transactions(primary: RunningNode, tmp_path: Path) -> None:
    with RunningReplica(tmp_path / "replica", replica_of(primary.url)) as replica:
        with pytest.raises(RpcFailure, match=f"this node is a replica and seals nothing; send it to {primary.url}") as refused:
            replica.call("eth_sendRawTransaction", primary.signed(OPERATOR, to=NOBODY))
        assert refused.value.code == -32000
        assert (_head(replica), _head(primary)) == (0, 0)


def test_a_replica_serves_on_while_its_primary_is_away_and_catches_up_after(primary: RunningNode, tmp_path: Path) -> None:
    with lying(primary.url, lambda method, params, result: result) as relay:
        primary.send(OPERATOR, to=NOBODY, value=1)
        with RunningReplica(tmp_path / "replica", replica_of(relay)) as replica:
            replica.wait_for_block(1)
            replica.kill()
    with RunningReplica(tmp_path / "replica", replica_of(relay)) as replica:
        assert _head(replica) == 1
        assert replica.call("eth_getBalance", NOBODY, "latest") == "0x1"
        replica.kill()
    primary.send(OPERATOR, to=NOBODY, value=1)
    with RunningReplica(tmp_path / "replica", replica_of(primary.url)) as replica:
        replica.wait_for_block(2)
        assert replica.call("eth_getBalance", NOBODY, "latest") == "0x2"


def test_a_new_replica_cannot_begin_without_its_primary(tmp_path: Path) -> None:
    ran = run_node_command("run", "--data", str(tmp_path / "data"), "--port", "0", "--follow", "http://127.0.0.1:9")
    assert ran.returncode == 1
    assert "cannot be reached" in ran.stderr


def test_a_primarys_own_directory_does_not_follow(primary: RunningNode) -> None:
    ran = run_node_command("run", "--data", str(primary.data), "--port", "0", "--follow", primary.url)
    assert ran.returncode == 1
    assert "holds the sealer's key" in ran.stderr


def test_another_chain_than_the_trusted_or_the_known_one_is_refused(primary: RunningNode, tmp_path: Path) -> None:
    command = ("run", "--data", str(tmp_path / "replica"), "--port", "0", "--follow")
    ran = run_node_command(*command, primary.url, "--trusted-genesis", "0x" + "11" * 32)
    assert ran.returncode == 1
    assert "not the trusted 0x1111" in ran.stderr
    assert not (tmp_path / "replica").exists()
    genesis_hash = primary.call("splittally_getGenesis")["genesisHash"]
    with RunningReplica(tmp_path / "replica", replica_of(primary.url, "--trusted-genesis", genesis_hash)) as replica:
        replica.kill()
    with RunningNode(tmp_path / "other", ARGUMENTS) as other:
        ran = run_node_command(*command, other.url)
    assert ran.returncode == 1
    assert "holds a chain with another genesis" in ran.stderr


@pytest.mark.parametrize("forged", ["genesisHash", "signature"])
def test_a_genesis_that_does_not_hold_leaves_nothing_behind(primary: RunningNode, tmp_path: Path, forged: str) -> None:
    """Another chain's primary claims the trusted hash, or a seal that nobody made: the honest one is followed afterwards all the same."""
    trusted = primary.call("splittally_getGenesis")["genesisHash"]
    false = {"genesisHash": trusted, "signature": "0x" + "11" * 65}[forged]
    with RunningNode(tmp_path / "false primary", ARGUMENTS) as other:
        pinned = ("--trusted-genesis", trusted) if forged == "genesisHash" else ()
        with lying(other.url, lambda method, params, result: result | {forged: false} if forged in (result or ()) else result) as url:
            ran = run_node_command("run", "--data", str(tmp_path / "replica"), "--port", "0", *replica_of(url, *pinned))
    assert ran.returncode == 1
    assert "error: block 0: " in ran.stderr
    assert not (tmp_path / "replica").exists()
    with RunningReplica(tmp_path / "replica", replica_of(primary.url, "--trusted-genesis", trusted)) as replica:
        assert replica.ready is not None
        assert replica.ready["genesis_hash"] == trusted


def _forging(primary: RunningNode, number: int, *, sealed_by_the_sealer: bool, **fields: Any) -> Lie:
    """Block `number` comes with other header fields; its seal holds if the sealer itself is the forger."""
    genesis_hash = bytes.fromhex(primary.call("splittally_getGenesis")["genesisHash"][2:])
    true = decode_block(number, bytes.fromhex(primary.call("debug_getRawBlock", hex(number))[2:]))
    forged = Block(true.header.copy(**fields), true.transactions)
    signature = seal(DataDirectory(primary.data).sealer_key(), genesis_hash, forged.hash)

    def lie(method: str, params: list[Any], result: Any) -> Any:
        if params[:1] != [hex(number)]:
            return result
        if method == "debug_getRawBlock":
            return "0x" + forged.raw.hex()
        if method == "splittally_getSeal" and sealed_by_the_sealer:
            return result | {"signature": "0x" + signature.hex()}
        return result

    return lie


@pytest.mark.parametrize(
    ("by_sealer", "fields", "named"),
    [
        (False, {"state_root": b"\x07" * 32}, "the seal is not the sealer's"),
        (True, {"state_root": b"\x07" * 32}, "re-execution gives another block (state_root)"),
        (True, {"receipt_root": b"\x07" * 32}, "re-execution gives another block (receipt_root)"),
        (True, {"gas_used": 1}, "re-execution gives another block (gas_used)"),
        (True, {"coinbase": b"\x07" * 20}, "re-execution gives another block (coinbase)"),
        (True, {"timestamp": 1}, "its timestamp is before its parent's"),
        (True, {"timestamp": 4_102_444_800}, "its timestamp 4102444800 lies in the future"),
        (True, {"parent_hash": b"\x07" * 32}, "a fork: its parent is 0x0707"),
    ],
    ids=["another's seal", "state", "receipts", "gas", "coinbase", "past", "future", "fork"],
)
def test_a_forged_block_is_refused_by_name_and_kept(
    primary: RunningNode, tmp_path: Path, by_sealer: bool, fields: dict[str, Any], named: str
) -> None:
    for _ in range(3):
        primary.send(OPERATOR, to=NOBODY, value=1)
    lie = _forging(primary, 2, sealed_by_the_sealer=by_sealer, **fields)
    with lying(primary.url, lie) as url, RunningReplica(tmp_path / "replica", replica_of(url)) as replica:
        assert f"block 2: {named}" in replica.refusal()
    evidence = json.loads((tmp_path / "replica" / "refused.json").read_text())
    assert evidence["number"] == 2
    assert evidence["theirs"]["block"] == lie("debug_getRawBlock", ["0x2"], "")
    with RunningReplica(tmp_path / "replica", replica_of(primary.url)) as replica:
        replica.wait_for_block(3)  # what was taken over before is still good


def test_a_primary_that_rewrote_history_is_refused_with_both_of_its_blocks(tmp_path: Path) -> None:
    """The same sealer, key and genesis, and two stories from block 2 on."""
    begin_two_stories(tmp_path)
    with RunningNode(tmp_path / "other story", ARGUMENTS) as other:
        other.send(OPERATOR, to=NOBODY, value=3)
        with RunningReplica(tmp_path / "replica", replica_of(other.url)) as replica:
            assert "block 2: the primary rewrote history" in replica.refusal()
    evidence = json.loads((tmp_path / "replica" / "refused.json").read_text())
    config, genesis_hash = DataDirectory(tmp_path / "primary").genesis(), bytes.fromhex(evidence["genesisHash"][2:])
    hashes = set()
    for story in ("ours", "theirs"):
        block = decode_block(2, bytes.fromhex(evidence[story]["block"][2:]))
        assert seal_holds(bytes.fromhex(evidence[story]["seal"][2:]), config.sealer, genesis_hash, block.hash)
        hashes.add(block.hash)
    assert len(hashes) == 2, "two sealed blocks of one number: the sealer's own hand"


def test_a_primary_that_lost_blocks_is_refused(tmp_path: Path) -> None:
    with RunningNode(tmp_path / "primary", ARGUMENTS) as primary:
        primary.send(OPERATOR, to=NOBODY, value=1)
        primary.stop()
        shutil.copytree(tmp_path / "primary", tmp_path / "old backup")
        with primary, RunningReplica(tmp_path / "replica", replica_of(primary.url)) as replica:
            primary.send(OPERATOR, to=NOBODY, value=2)
            replica.wait_for_block(2)
            replica.kill()
    with RunningNode(tmp_path / "old backup") as other, RunningReplica(tmp_path / "replica", replica_of(other.url)) as replica:
        assert "the primary's head is block 1, but it showed block 2 before" in replica.refusal()


def test_a_killed_replica_goes_on_where_it_was(primary: RunningNode, tmp_path: Path) -> None:
    replica = RunningReplica(tmp_path / "replica", replica_of(primary.url))
    for value in range(1, 4):
        primary.send(OPERATOR, to=NOBODY, value=value)
        with replica:
            replica.wait_for_block(value)
            replica.kill()
    assert run_node_command("verify", "--data", str(replica.data)).returncode == 0
