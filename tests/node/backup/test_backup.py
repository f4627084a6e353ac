"""A backup of a working node is whole, and what comes of it is the same chain."""

import json
import shutil
import stat
import threading
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from node.__main__ import main
from node.backup import back_up
from node.chain.errors import ChainError, StoreFailed
from node.chain.verification import verify_chain
from node.config import DataDirectory, DataDirectoryError
from node.opening import sole_user
from tests.node.cell_contract import CREATION, word
from tests.node.running_node import RpcFailure, RunningNode, run_node_command
from tests.node.sealed_chain import OPERATOR

ARGUMENTS = ("--operator", OPERATOR.address)


def _send_until_stopped(node: RunningNode, cell: str, stop: threading.Event, receipts: list[dict[str, object]]) -> None:
    value = 0
    try:
        while not stop.is_set():
            value += 1
            receipts.append(node.send(OPERATOR, to=cell, data=word(value)))
    except (httpx.TransportError, RpcFailure):
        pass


def test_backups_of_a_node_under_load_verify_and_hold_all_that_was_acknowledged_before(tmp_path: Path) -> None:
    with RunningNode(tmp_path / "data", ARGUMENTS) as node:
        cell = node.send(OPERATOR, data=CREATION)["contractAddress"]
        stop, receipts = threading.Event(), list[dict[str, object]]()
        load = threading.Thread(target=_send_until_stopped, args=(node, cell, stop, receipts))
        load.start()
        acknowledged = []
        for name in ("first", "second"):
            acknowledged.append(len(receipts))
            done = run_node_command("backup", "--data", str(node.data), str(tmp_path / name), "--with-sealer-key")
            assert done.returncode == 0, done.stderr
        stop.set()
        load.join()
    assert len(receipts) > acknowledged[1] > acknowledged[0]
    for name, count in zip(("first", "second"), acknowledged, strict=True):
        verified = run_node_command("verify", "--data", str(tmp_path / name))
        assert verified.returncode == 0, verified.stderr
        with RunningNode(tmp_path / name) as restored:
            for receipt in receipts[:count]:
                assert restored.call("eth_getTransactionReceipt", receipt["transactionHash"]) == receipt


def test_a_restored_backup_goes_on_where_it_was_taken(tmp_path: Path) -> None:
    with RunningNode(tmp_path / "data", ARGUMENTS) as node:
        node.send(OPERATOR, to=OPERATOR.address)
        assert run_node_command("backup", "--data", str(node.data), str(tmp_path / "kept"), "--with-sealer-key").returncode == 0
        node.send(OPERATOR, to=OPERATOR.address)
        node.kill()
        shutil.rmtree(node.data)
        shutil.copytree(tmp_path / "kept", node.data)
        with node:
            assert int(node.call("eth_blockNumber"), 16) == 1
            assert node.send(OPERATOR, to=OPERATOR.address)["blockNumber"] == "0x2"


def test_a_backup_is_private_and_has_the_key_only_if_asked(tmp_path: Path) -> None:
    with RunningNode(tmp_path / "data", ARGUMENTS) as node:
        for name, option in (("without", ()), ("with", ("--with-sealer-key",))):
            assert run_node_command("backup", "--data", str(node.data), str(tmp_path / name), *option).returncode == 0
    assert not (tmp_path / "without" / "sealer.key").exists()
    assert (tmp_path / "with" / "sealer.key").read_bytes() == (tmp_path / "data" / "sealer.key").read_bytes()
    files = [file for name in ("with", "without") for file in (tmp_path / name).rglob("*") if file.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert run_node_command("verify", "--data", str(tmp_path / "without")).returncode == 0
    assert "the sealer key" in run_node_command("run", "--data", str(tmp_path / "without"), "--port", "0").stderr


def test_a_backup_replaces_nothing(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["init", "--data", str(tmp_path / "data")])
    (tmp_path / "kept").mkdir()
    refused = CliRunner().invoke(main, ["backup", "--data", str(tmp_path / "data"), str(tmp_path / "kept")])
    assert isinstance(refused.exception, ChainError)
    assert "exists already" in str(refused.exception)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data of a node that is not running."""
    data = tmp_path_factory.mktemp("kept") / "data"
    with RunningNode(data, ARGUMENTS) as node:
        node.send(OPERATOR, to=OPERATOR.address)
        node.stop()
    return data


@pytest.mark.parametrize("command", ["backup", "export"])
def test_what_stands_beside_the_place_of_a_backup_or_export_stays(kept: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "copy.part").mkdir()
    (tmp_path / "copy.part" / "precious").write_text("someone's")
    assert CliRunner().invoke(main, [command, "--data", str(kept), str(tmp_path / "copy")]).exit_code == 0
    refused = CliRunner().invoke(main, [command, "--data", str(kept), str(tmp_path / "copy")])
    assert "exists already" in str(refused.exception)
    assert (tmp_path / "copy.part" / "precious").read_text() == "someone's"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "copy.part"]


def test_two_backups_to_one_place_leave_one_whole_and_nothing_else(kept: Path, tmp_path: Path) -> None:
    start, refusals = threading.Barrier(2), list[str]()

    def copy() -> None:
        start.wait()
        try:
            back_up(DataDirectory(kept), tmp_path / "copy", with_key=False)
        except DataDirectoryError as refusal:
            refusals.append(str(refusal))

    copying = [threading.Thread(target=copy) for _ in range(2)]
    for thread in copying:
        thread.start()
    for thread in copying:
        thread.join()
    assert len(refusals) == 1
    assert "Directory not empty" in refusals[0] or "exists already" in refusals[0]
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
    with sole_user(DataDirectory(tmp_path / "copy")) as history:
        assert list(verify_chain(history)) == [0, 1]


@pytest.mark.parametrize("command", ["backup", "export"])
def test_a_copy_of_a_damaged_chain_leaves_nothing_behind(kept: Path, tmp_path: Path, command: str) -> None:
    data = Path(shutil.copytree(kept, tmp_path / "data"))
    (table,) = (data / "chain").glob("*.sst")
    content = bytearray(table.read_bytes())
    with sole_user(DataDirectory(data)) as history:
        place = content.index(history.seal(1)[:16])
    content[place] ^= 1
    table.write_bytes(content)
    refused = CliRunner().invoke(main, [command, "--data", str(data), str(tmp_path / "copy")])
    assert isinstance(refused.exception, StoreFailed), refused.exception
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("command", [("backup", "copy"), ("export", "chain.jsonl")])
def test_there_is_nothing_to_copy_before_the_first_block(tmp_path: Path, command: tuple[str, str]) -> None:
    CliRunner().invoke(main, ["init", "--data", str(tmp_path / "data")])
    refused = CliRunner().invoke(main, [command[0], "--data", str(tmp_path / "data"), str(tmp_path / command[1])])
    assert "holds no block yet" in str(refused.exception)
    assert json.dumps(sorted(item.name for item in tmp_path.iterdir())) == '["data"]'
