"""What a disk may do to a store at rest: bytes that flip, and a file system that takes no writes. Named, never believed."""

import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from node.chain.history import HEAD, History, block_key
from node.chain.ports import Table
from node.config import DataDirectory
from node.opening import sole_user
from tests.node.running_node import ROOT, RpcFailure, RunningNode, run_node_command
from tests.node.sealed_chain import seal_chain

SEED = 7_951


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup: all its rows lie in tables, none in the log."""
    place = tmp_path_factory.mktemp("disk")
    seal_chain(place / "data")
    assert run_node_command("backup", "--data", str(place / "data"), str(place / "kept"), "--with-sealer-key").returncode == 0
    return place / "kept"


@pytest.fixture
def data(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "data"))


def _tables(data: Path) -> list[Path]:
    return sorted((data / "chain").glob("*.sst"))


def _flip(file: Path, at: int, bit: int = 0) -> None:
    with file.open("r+b") as stored:
        stored.seek(at)
        byte = stored.read(1)[0]
        stored.seek(at)
        stored.write(bytes([byte ^ (1 << bit)]))


def _flip_within(data: Path, row: bytes) -> Path:
    """Tables are compressed: the first eight bytes of the row that stand in them as they are, and once, are hit."""
    for file in _tables(data):
        stored = file.read_bytes()
        for start in range(len(row) - 8):
            part = row[start : start + 8]
            if stored.count(part) == 1:
                _flip(file, stored.index(part))
                return file
    raise AssertionError("the row is in no table")


def _row(table: Table, number: int) -> Callable[[History], bytes]:
    return lambda history: history.store.get(table, block_key(number)) or b""


def _state(history: History) -> bytes:
    return history.read_node(history.header(5).state_root) or b""


@pytest.mark.parametrize(
    "find",
    [_row(Table.HEADERS, 5), _row(Table.BODIES, 5), _row(Table.RECEIPTS, 5), _row(Table.SEALS, 5), _state],
    ids=["header", "transactions", "receipts", "seal", "state"],
)
def test_a_flipped_byte_of_any_row_is_named(data: Path, find: Callable[[History], bytes]) -> None:
    """By the first row that is read of those under the same checksum, and by the place on the disk."""
    with sole_user(DataDirectory(data)) as history:
        row = find(history)
    file = _flip_within(data, row)
    verified = run_node_command("verify", "--data", str(data))
    assert verified.returncode == 1
    assert re.search(r"error: .*(block \d+|0x[0-9a-f]+) in [a-z]+ cannot be read from .*checksum mismatch", verified.stderr)
    assert file.name in verified.stderr
    assert "repair" in verified.stderr


def test_a_flipped_byte_anywhere_is_named_or_changes_nothing(kept: Path, tmp_path: Path) -> None:
    dice = random.Random(SEED)
    untouched = run_node_command("verify", "--data", str(kept)).stdout.split('"seconds"')[0]
    for attempt in range(12):
        data = Path(shutil.copytree(kept, tmp_path / str(attempt)))
        file = dice.choice([file for file in sorted((data / "chain").iterdir()) if file.stat().st_size])
        _flip(file, dice.randrange(file.stat().st_size), dice.randrange(8))
        verified = run_node_command("verify", "--data", str(data))
        if verified.returncode == 0:
            assert verified.stdout.split('"seconds"')[0] == untouched
        else:
            assert verified.returncode == 1
            assert "error: " in verified.stderr


def test_a_head_that_fell_back_is_refused_on_opening(data: Path) -> None:
    with sole_user(DataDirectory(data)) as history:
        history.store.commit({Table.META: {HEAD: block_key(history.head.block_number - 1)}})
    ran = run_node_command("run", "--data", str(data), "--port", "0")
    assert ran.returncode == 1
    assert "has a block after it: the head's record is corrupt" in ran.stderr


def test_a_running_node_answers_with_the_corruption_rather_than_with_wrong_state(data: Path) -> None:
    with sole_user(DataDirectory(data)) as history:
        root = history.header(5).state_root
        good = history.read_node(root) or b""
        history.store.commit({Table.STATE: {root: good[:-1] + bytes([good[-1] ^ 1])}})  # under a good checksum
    with RunningNode(data) as node:
        with pytest.raises(RpcFailure, match="is corrupt"):
            node.call("eth_getBalance", "0x" + "ab" * 20, "0x5")
        assert node.call("eth_getBalance", "0x" + "ab" * 20, "latest") == "0x5"


def test_a_read_only_disk_is_refused_clearly_and_can_still_be_exported_and_backed_up(data: Path, tmp_path: Path) -> None:
    run = _on_a_read_only_disk(data, "run", "--data", str(data), "--port", "0")
    assert run.returncode == 1
    assert run.stderr == f"error: {data} cannot be written: Read-only file system\n"
    exported = _on_a_read_only_disk(data, "export", "--data", str(data), str(tmp_path / "chain.jsonl"))
    assert exported.returncode == 0, exported.stderr
    backed_up = _on_a_read_only_disk(data, "backup", "--data", str(data), str(tmp_path / "copy"))
    assert backed_up.returncode == 0, backed_up.stderr


def _on_a_read_only_disk(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The data directory is mounted read-only, in a mount namespace that this one command sees."""
    mounts = f"mount --bind '{data}' '{data}' && mount -o remount,bind,ro '{data}'"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mounts], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets no test mount a file system")
    command = ["unshare", "-rm", "sh", "-c", f'{mounts} && exec "$@"', "sh", sys.executable, "-m", "node", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
