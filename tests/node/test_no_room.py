"""A disk with no room left, for all that writes: refused by name with what to do, nothing acknowledged lost, and on with more room."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.chain.history import block_key
from node.chain.ports import Table
from node.config import DataDirectory
from node.opening import sole_user
from tests.node.cell_contract import CREATION, word
from tests.node.replica.processes import RunningReplica, replica_of
from tests.node.running_node import RpcFailure, RunningNode, run_node_command
from tests.node.sealed_chain import OPERATOR
from tests.node.small_disk import SmallDisk, small_disk

BLOCKS = 40
HALF_WAY_BYTES = 800_000  # of the chain's 1.6 MB
SEED = 7_951


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", megabytes=16) as mounted:
        yield mounted


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a chain of large blocks in `data` and the same in `chain.jsonl`."""
    place = tmp_path_factory.mktemp("room")
    with RunningNode(place / "data", ("--operator", OPERATOR.address)) as node:
        for _ in range(BLOCKS):
            node.send(OPERATOR, **_large())
        assert node.stop() == 0
    assert run_node_command("export", "--data", str(place / "data"), str(place / "chain.jsonl")).returncode == 0
    return place


_dice = random.Random(SEED)


def _large() -> dict[str, object]:
    return {"to": OPERATOR.address, "data": _dice.randbytes(40_000), "gas": 2_000_000}


def _refused_for_room(*arguments: str | Path) -> None:
    ran = run_node_command(*map(str, arguments))
    assert ran.returncode == 1, ran
    assert "Traceback" not in ran.stderr
    assert "error: " in ran.stderr
    assert "No space left on device" in ran.stderr


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_node_acknowledges_nothing_it_has_no_room_for_and_goes_on_with_more(disk: SmallDisk, end: str) -> None:
    node = RunningNode(disk.path / "data", ("--operator", OPERATOR.address)).start()
    cell = node.send(OPERATOR, data=CREATION)["contractAddress"]
    acknowledged = [node.send(OPERATOR, to=cell, data=word(1))]
    disk.fill(leave_bytes=200_000)
    with pytest.raises(RpcFailure, match=r"No space left on device.*make room and start again, what was acknowledged is kept"):
        _send_until_refused(node)
    head = node.call("eth_getBlockByNumber", "latest", True)
    acknowledged += [node.call("eth_getTransactionReceipt", item["hash"]) for item in head["transactions"]]
    assert node.call("eth_call", {"to": cell}, acknowledged[0]["blockNumber"]) == word(1)
    if end == "kill":
        node.kill()
    else:
        assert node.stop() == 0
    disk.make_room()
    with node:
        assert int(node.call("eth_blockNumber"), 16) >= int(head["number"], 16)
        assert node.call("eth_getBlockByNumber", head["number"], True) == head
        for receipt in acknowledged:
            assert node.call("eth_getTransactionReceipt", receipt["transactionHash"]) == receipt
        assert node.send(OPERATOR, to=cell, data=word(2))["status"] == "0x1"
        assert node.stop() == 0
    assert run_node_command("verify", "--data", str(node.data)).returncode == 0


def _send_until_refused(node: RunningNode) -> None:
    """One a block, without waiting for receipts that a full disk never gives."""
    nonce = node.nonce(OPERATOR)
    while True:
        node.call("eth_sendRawTransaction", node.signed(OPERATOR, nonce=nonce, **_large()))
        nonce += 1


def test_a_node_that_cannot_even_start_says_what_to_do_and_starts_with_more_room(kept: Path, disk: SmallDisk) -> None:
    data = Path(shutil.copytree(kept / "data", disk.path / "data"))
    disk.fill(leave_bytes=0)
    ran = run_node_command("run", "--data", str(data), "--port", "0")
    assert ran.returncode == 1
    assert "No space left on device" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "repair" not in ran.stderr, "a full disk is no damage"
    disk.make_room()
    with RunningNode(data) as node:
        assert int(node.call("eth_blockNumber"), 16) == BLOCKS


def test_a_chain_is_not_begun_where_there_is_no_room_and_can_be_later(disk: SmallDisk) -> None:
    disk.fill(leave_bytes=0)
    _refused_for_room("init", "--data", disk.path / "data")
    disk.make_room()
    assert run_node_command("init", "--data", str(disk.path / "data")).returncode == 0


@pytest.mark.parametrize("command", ["backup", "export"])
@pytest.mark.parametrize("leave_bytes", [0, HALF_WAY_BYTES], ids=["from the start", "half-way"])
def test_a_copy_there_is_no_room_for_leaves_nothing_behind(kept: Path, disk: SmallDisk, command: str, leave_bytes: int) -> None:
    disk.fill(leave_bytes=leave_bytes)
    _refused_for_room(command, "--data", kept / "data", disk.path / "copy")
    assert [file.name for file in disk.path.iterdir()] == ["ballast"]
    disk.make_room()
    assert run_node_command(command, "--data", str(kept / "data"), str(disk.path / "copy")).returncode == 0


def test_an_import_goes_on_where_the_room_ended(kept: Path, disk: SmallDisk) -> None:
    disk.fill(leave_bytes=HALF_WAY_BYTES)
    _refused_for_room("import", "--data", disk.path / "data", kept / "chain.jsonl")
    disk.make_room()
    with sole_user(DataDirectory(disk.path / "data")) as history:
        assert 0 < history.head.block_number < BLOCKS
    assert run_node_command("import", "--data", str(disk.path / "data"), str(kept / "chain.jsonl")).returncode == 0
    assert f'"verified_blocks": {BLOCKS + 1}' in run_node_command("verify", "--data", str(disk.path / "data")).stdout


def test_a_repair_without_room_changes_nothing(kept: Path, disk: SmallDisk) -> None:
    data = Path(shutil.copytree(kept / "data", disk.path / "data"))
    with sole_user(DataDirectory(data)) as history:
        history.store.commit({Table.RECEIPTS: {block_key(BLOCKS): b"\xc0"}})
    names = sorted(file.name for file in data.iterdir())
    disk.fill(leave_bytes=HALF_WAY_BYTES)
    _refused_for_room("repair", "--data", data, "--from", kept / "chain.jsonl")
    assert sorted(file.name for file in data.iterdir()) == names
    disk.make_room()
    assert f"block {BLOCKS}" in run_node_command("verify", "--data", str(data)).stderr, "as damaged as before"
    assert run_node_command("repair", "--data", str(data)).returncode == 0
    assert run_node_command("verify", "--data", str(data)).returncode == 0


def test_a_replica_without_room_stops_without_a_word_against_its_primary_and_follows_on_with_more(
    kept: Path, disk: SmallDisk, tmp_path: Path
) -> None:
    with RunningNode(Path(shutil.copytree(kept / "data", tmp_path / "primary"))) as primary:
        disk.fill(leave_bytes=HALF_WAY_BYTES)
        replica = RunningReplica(disk.path / "replica", replica_of(primary.url)).start()
        refusal = replica.refusal()
        assert "No space left on device" in refusal
        assert "Traceback" not in refusal
        assert not (replica.data / "refused.json").exists()
        disk.make_room()
        with replica:
            replica.wait_for_block(BLOCKS)
            latest = ("eth_getBlockByNumber", "latest", True)
            assert replica.call(*latest) == primary.call(*latest)
