"""The data directory and the process around it: start, stop, refuse."""

import json
import re
import socket
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from node.__main__ import main
from node.app import AddressError, listen, open_chain, run
from node.chain.errors import ChainError
from node.config import DataDirectory, DataDirectoryError
from tests.node.cell_contract import CREATION, word
from tests.node.running_node import RunningNode, run_node_command, throwaway_account

OPERATOR = throwaway_account("operator")
ARGUMENTS = ("--operator", OPERATOR.address)


def test_init_writes_a_private_genesis_and_key(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert CliRunner().invoke(main, ["init", "--data", str(data), "--chain-id", "5", *ARGUMENTS]).exit_code == 0
    assert json.loads((data / "genesis.json").read_text())["chainId"] == 5
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {stat.S_IMODE((data / name).stat().st_mode) for name in ("genesis.json", "sealer.key")} == {0o600}


def test_a_second_init_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    CliRunner().invoke(main, ["init", "--data", str(data)])
    before = (data / "genesis.json").read_bytes(), (data / "sealer.key").read_bytes()
    second = run_node_command("init", "--data", str(data))
    assert second.returncode == 1
    assert "already holds a chain" in second.stderr
    assert ((data / "genesis.json").read_bytes(), (data / "sealer.key").read_bytes()) == before


def test_running_without_a_chain_is_refused(tmp_path: Path) -> None:
    ran = run_node_command("run", "--data", str(tmp_path / "data"), "--port", "0")
    assert ran.returncode == 1
    assert "holds no chain" in ran.stderr


@pytest.mark.parametrize(
    ("option", "companion"),
    [
        (("--checkpoint", "nobody.json"), "--follow"),
        (("--trusted-genesis", "0x" + "12" * 32), "--follow"),
        (("--sandbox",), "--init"),
        (("--chain-id", "5"), "--init"),
        (("--operator", OPERATOR.address), "--init"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(tmp_path: Path, option: tuple[str, ...], companion: str) -> None:
    """Who pins a genesis and forgets --follow would believe that somebody looks."""
    CliRunner().invoke(main, ["init", "--data", str(tmp_path / "data")])
    ran = CliRunner().invoke(main, ["run", "--data", str(tmp_path / "data"), "--port", "0", *option])
    assert ran.exit_code == 2
    assert companion in ran.output


def test_a_second_node_on_the_same_data_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with RunningNode(tmp_path / "data", ARGUMENTS) as node:
        for command in (("run", "--port", "0"), ("verify",)):
            second = run_node_command(command[0], "--data", str(node.data), *command[1:])
            assert second.returncode == 1
            assert "is in use by another node" in second.stderr
        assert node.send(OPERATOR, to=OPERATOR.address)["status"] == "0x1"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", ""])
def test_listening_beyond_loopback_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(AddressError, match="loopback only"):
        run(DataDirectory(tmp_path / "data"), host, 0)


def test_a_refusal_ends_the_process_with_a_message_and_status_1(tmp_path: Path) -> None:
    ran = run_node_command("run", "--data", str(tmp_path / "data"), "--init", "--port", "0", "--host", "0.0.0.0")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "error: the node listens on loopback only; 0.0.0.0 is refused\n"


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = run_node_command("run", "--data", str(tmp_path / "data"), "--init", "--port", str(taken.getsockname()[1]))
    assert ran.returncode == 1
    assert "cannot listen" in ran.stderr


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:8545", "[::1]:8545"])
def test_a_port_within_the_host_is_refused_by_name(host: str) -> None:
    with pytest.raises(AddressError, match=re.escape(f"cannot listen on {host.strip('[]')}, port 0: ")):
        listen(host, 0)


def test_an_address_may_stand_in_brackets() -> None:
    with listen("[127.0.0.1]", 0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere/data")):
        for command in (("init",), ("run", "--init", "--port", "0")):
            refused = CliRunner().invoke(main, [command[0], "--data", str(place), *command[1:]])
            assert isinstance(refused.exception, DataDirectoryError), refused.exception
            assert f"{place} cannot be written: " in str(refused.exception)
    assert (tmp_path / "file").read_text() == "x"


def test_a_sealers_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.initialize(chain_id=7, sandbox=False, operators=(), timestamp=1_771_200_000)
    directory.key_file.chmod(0o640)
    refused = run_node_command("run", "--data", str(directory.path), "--port", "0")
    assert refused.returncode == 1
    assert f"chmod 600 {directory.key_file}" in refused.stderr


@pytest.mark.parametrize("key", ["", "0x12", "0x" + "11" * 33, "0x" + "00" * 32, "zz", "\xff"])
@pytest.mark.parametrize("command", [("run", "--port", "0"), ("verify",), ("backup", "copy", "--with-sealer-key")])
def test_a_key_that_is_none_is_refused_by_name(tmp_path: Path, key: str, command: tuple[str, ...]) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.initialize(chain_id=7, sandbox=False, operators=(), timestamp=1_771_200_000)
    with open_chain(directory):
        pass
    directory.key_file.write_text(key)
    arguments = [str(tmp_path / item) if item == "copy" else item for item in command[1:]]
    refused = CliRunner().invoke(main, [command[0], "--data", str(directory.path), *arguments])
    assert isinstance(refused.exception, ChainError), refused.exception
    assert f"the sealer key {directory.key_file} cannot be read" in str(refused.exception)


def test_a_genesis_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "genesis.json").symlink_to("genesis.json")
    for command in (("init",), ("run", "--port", "0"), ("run", "--init", "--port", "0"), ("verify",)):
        refused = CliRunner().invoke(main, [command[0], "--data", str(data), *command[1:]])
        assert f"{data / 'genesis.json'} cannot be read: Too many levels of symbolic links" in str(refused.exception)


@pytest.mark.parametrize("operator", ["0x12", "12" * 20, "0x" + "zz" * 20])
def test_an_operator_that_is_no_address_is_refused(tmp_path: Path, operator: str) -> None:
    assert CliRunner().invoke(main, ["init", "--data", str(tmp_path / "data"), "--operator", operator]).exit_code == 2


def test_a_genesis_time_in_the_future_needs_a_sandbox(tmp_path: Path) -> None:
    future = ("--timestamp", "4102444800")
    assert CliRunner().invoke(main, ["init", "--data", str(tmp_path / "wall"), *future]).exit_code == 2
    assert CliRunner().invoke(main, ["init", "--data", str(tmp_path / "sandbox"), "--sandbox", *future]).exit_code == 0


def test_everything_is_still_there_after_a_restart(tmp_path: Path) -> None:
    node = RunningNode(tmp_path / "data", ARGUMENTS).start()
    created = node.send(OPERATOR, data=CREATION)
    receipts = [node.send(OPERATOR, to=created["contractAddress"], data=word(value)) for value in (1, 2)]
    head = node.call("eth_getBlockByNumber", "latest", True)
    ready = node.ready
    assert node.stop() == 0
    with node:
        assert node.ready is not None
        assert ready is not None
        assert node.ready["genesis_hash"] == ready["genesis_hash"]
        assert node.ready["sealer"] == ready["sealer"]
        assert node.call("eth_getBlockByNumber", "latest", True) == head
        for value, receipt in zip((1, 2), receipts, strict=True):
            assert node.call("eth_getTransactionReceipt", receipt["transactionHash"]) == receipt
            assert node.call("eth_call", {"to": created["contractAddress"]}, receipt["blockNumber"]) == word(value)
        assert node.send(OPERATOR, to=created["contractAddress"], data=word(3))["blockNumber"] == hex(4)


def test_a_changed_genesis_or_foreign_key_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with RunningNode(data, ARGUMENTS) as node:
        node.send(OPERATOR, to=OPERATOR.address)
        node.stop()
    genesis, key = (data / "genesis.json").read_text(), (data / "sealer.key").read_text()
    (data / "genesis.json").write_text(genesis.replace('"chainId":7951', '"chainId":7952'))
    assert "another genesis" in run_node_command("run", "--data", str(data), "--port", "0").stderr
    (data / "genesis.json").write_text(genesis)
    (data / "sealer.key").write_text("0x" + "11" * 32)
    assert "not the key of this chain's sealer" in run_node_command("run", "--data", str(data), "--port", "0").stderr
    (data / "sealer.key").write_text(key)
    assert run_node_command("verify", "--data", str(data)).returncode == 0
