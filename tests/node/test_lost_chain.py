"""A data directory that lost its chain is refused, whatever opens it: block 0 is sealed once, and no block a second time."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from node.__main__ import main
from node.app import open_chain
from node.chain.errors import BadGenesis, ChainError, StoreFailed
from node.chain.verification import verify_chain
from node.config import DataDirectory
from node.opening import sole_user
from node.store.begun import note_of
from node.store.database import RocksDb
from tests.node.lost_chain import WAYS_TO_LOSE_A_CHAIN
from tests.node.replica.processes import RunningReplica, replica_of
from tests.node.running_node import ROOT, RunningNode, run_node_command
from tests.node.sealed_chain import OPERATOR

ARGUMENTS = ("--operator", OPERATOR.address)


@dataclass(frozen=True)
class Sealed:
    data: Path
    backup: Path
    file: Path


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    """A stopped node with three blocks, its backup and its chain file."""
    place = tmp_path_factory.mktemp("lost")
    with RunningNode(place / "data", ARGUMENTS) as node:
        for _ in range(3):
            node.send(OPERATOR, to=OPERATOR.address)
        node.stop()
    for command, to in (("backup", "backup"), ("export", "chain.jsonl")):
        options = ("--with-sealer-key",) if command == "backup" else ()
        assert CliRunner().invoke(main, [command, "--data", str(place / "data"), str(place / to), *options]).exit_code == 0
    return Sealed(place / "data", place / "backup", place / "chain.jsonl")


@pytest.fixture
def data(sealed: Sealed, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed.data, tmp_path / "data"))


def _refusal(*arguments: object) -> str:
    refused = CliRunner().invoke(main, [str(item) for item in arguments])
    assert isinstance(refused.exception, ChainError), refused.exception
    return str(refused.exception)


def _names(data: Path) -> list[Path]:
    return sorted(data.rglob("*"))


@pytest.mark.parametrize("way", WAYS_TO_LOSE_A_CHAIN)
def test_no_command_begins_a_chain_in_a_lost_ones_place(sealed: Sealed, data: Path, tmp_path: Path, way: str) -> None:
    WAYS_TO_LOSE_A_CHAIN[way](data / "chain")
    for command in (
        ("run", "--data", data, "--port", 0),
        ("run", "--data", data, "--port", 0, "--init"),
        ("verify", "--data", data),
        ("export", "--data", data, tmp_path / "file"),
        ("backup", "--data", data, tmp_path / "copy"),
        ("import", "--data", data, sealed.file),
    ):
        refusal = _refusal(*command)
        assert "restore it with `repair`, from a backup, a chain file or a replica" in refusal
        if way != "rows_lost" and (way, command[0]) != ("link_led_away", "import"):  # RocksDB says by itself what it misses
            assert f"the chain that was begun in {data / 'chain'} is gone. If it is on a disk of its own, mount that" in refusal
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_log_that_held_the_whole_chain_and_is_empty_now_is_refused(tmp_path: Path) -> None:
    with RunningNode(tmp_path / "data", ARGUMENTS) as node:
        node.send(OPERATOR, to=OPERATOR.address)
        node.kill()  # a stop would have written tables
    (log,) = (file for file in (tmp_path / "data" / "chain").glob("*.log") if file.stat().st_size)
    os.truncate(log, 0)
    for command in (("run", "--port", 0), ("verify",)):
        assert "is gone" in _refusal(command[0], "--data", tmp_path / "data", *command[1:])


@pytest.mark.parametrize("way", ["removed", "emptied", "replaced", "link_led_away"])
def test_nothing_is_written_where_the_chain_should_be(data: Path, way: str) -> None:
    """It may be the place that a disk is mounted on."""
    WAYS_TO_LOSE_A_CHAIN[way](data / "chain")
    before = _names(data)
    for command in (("run", "--init", "--port", "0"), ("verify",)):
        _refusal(command[0], "--data", data, *command[1:])
    assert _names(data) == before


def test_another_file_system_mounted_over_the_chain_is_refused_and_without_it_the_chain_is_there(data: Path) -> None:
    for command in (("run", "--port", "0", "--init"), ("verify",)):
        ran = _with_an_empty_disk_on(data / "chain", command[0], "--data", str(data), *command[1:])
        assert ran.returncode == 1
        assert f"the chain that was begun in {data / 'chain'} is gone" in ran.stderr
    ran = _with_an_empty_disk_on(data / "chain", "repair", "--data", str(data))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "is a disk of its own, which no rebuilt store can replace: unmount it, then repair" in ran.stderr
    with sole_user(DataDirectory(data)) as history:
        assert list(verify_chain(history)) == [0, 1, 2, 3]


def test_a_replica_that_lost_its_chain_does_not_begin_it_again_beside_what_it_forgot(tmp_path: Path) -> None:
    with RunningNode(tmp_path / "primary", ARGUMENTS) as primary:
        with RunningReplica(tmp_path / "replica", replica_of(primary.url)) as replica:
            assert replica.stop() == 0
        shutil.rmtree(tmp_path / "replica" / "chain")
        ran = run_node_command("run", "--data", str(tmp_path / "replica"), "--port", "0", "--follow", primary.url)
    assert ran.returncode == 1
    assert "is gone" in ran.stderr


def test_a_restored_backup_guards_its_chain_as_the_first_one_did(sealed: Sealed, tmp_path: Path) -> None:
    restored = Path(shutil.copytree(sealed.backup, tmp_path / "restored"))
    with open_chain(DataDirectory(restored)) as history:
        assert history.head.block_number == 3
    shutil.rmtree(restored / "chain")
    with pytest.raises(StoreFailed, match="is gone"), open_chain(DataDirectory(restored)):
        pass


def test_the_lost_chain_copied_back_from_a_backup_opens_again(sealed: Sealed, data: Path) -> None:
    shutil.rmtree(data / "chain")
    shutil.copytree(sealed.backup / "chain", data / "chain")
    with open_chain(DataDirectory(data)) as history:
        assert history.head.block_number == 3


@pytest.mark.parametrize("opened_by", ["run", "verify"])
def test_a_chain_of_an_earlier_version_is_noted_when_it_is_opened(data: Path, opened_by: str) -> None:
    """So is one whose node was killed between block 0 and the note."""
    note_of(data / "chain").unlink()
    with open_chain(DataDirectory(data)) if opened_by == "run" else sole_user(DataDirectory(data)) as history:
        assert history.head.block_number == 3
    assert note_of(data / "chain").exists()
    shutil.rmtree(data / "chain")
    assert "is gone" in _refusal("run", "--data", data, "--port", 0)


def test_a_chain_that_is_only_read_is_not_noted(data: Path, tmp_path: Path) -> None:
    note_of(data / "chain").unlink()
    assert CliRunner().invoke(main, ["export", "--data", str(data), str(tmp_path / "file")]).exit_code == 0
    assert not note_of(data / "chain").exists()


@pytest.fixture(params=["no store", "an empty store"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> DataDirectory:
    """Initialized, and stopped before block 0 was on disk."""
    directory = DataDirectory(tmp_path / "new")
    directory.initialize(chain_id=7, sandbox=False, operators=(), timestamp=1_771_200_000)
    if request.param == "an empty store":
        RocksDb(directory.store).close()
    return directory


def test_a_new_chain_begins_and_is_noted_before_anyone_sees_it(new: DataDirectory) -> None:
    with open_chain(new) as history:
        assert history.head.block_number == 0
        assert note_of(new.store).exists()


def test_verification_begins_no_chain(new: DataDirectory) -> None:
    with pytest.raises(BadGenesis, match="holds no block yet"), sole_user(new):
        pass
    assert not note_of(new.store).exists()
    with open_chain(new) as history:
        assert history.head.block_number == 0


def _with_an_empty_disk_on(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a mount namespace that this one command sees."""
    mounts = f"mount -t tmpfs none '{place}'"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mounts], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets no test mount a file system")
    command = ["unshare", "-rm", "sh", "-c", f'{mounts} && exec "$@"', "sh", sys.executable, "-m", "node", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
