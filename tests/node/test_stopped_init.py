"""`kill -9` at any moment of a chain's first minute: what is left runs, as one chain with one key, or says what is wrong."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from node.__main__ import main
from node.app import open_chain
from node.chain.errors import ChainError
from node.config import DataDirectory, DataDirectoryError
from tests.node.running_node import ROOT, RunningNode

BEGIN_AND_DIE = """
import json, os, sys
from pathlib import Path
from node.app import open_chain
from node.config import DataDirectory

def begin(directory):
    if not directory.is_initialized:  # as `run --init` does
        directory.initialize(chain_id=7, sandbox=False, operators=(), timestamp=1_771_200_000)
    with open_chain(directory) as history:
        key = directory.sealer_key().public_key.to_canonical_address().hex()
        return [int(history.head.block_number), history.genesis_hash.hex(), key, history.config.sealer.hex()]

def die_before(step, directory):
    steps = 0
    def watch(event, arguments):
        nonlocal steps
        if event in ("open", "os.mkdir", "os.rename", "os.chmod", "os.truncate") and str(directory.path) in str(arguments[0]):
            steps += 1
            if steps == step:
                os.kill(os.getpid(), 9)
    sys.addaudithook(watch)
    begin(directory)

def in_a_child(work):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as out:
            json.dump(work(), out)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as lines:
        said = lines.read()
    return os.waitpid(child, 0)[1], said

for step in range(1, 1_000):
    directory = DataDirectory(Path(sys.argv[1]) / str(step))
    status, _ = in_a_child(lambda: die_before(step, directory))
    left = sorted(file.name for file in directory.path.iterdir()) if directory.path.exists() else []
    again = [in_a_child(lambda: begin(directory)) for _ in range(2)]
    print(json.dumps({"killed": status == 9, "left": left, "again": again}), flush=True)
    if status == 0:
        break
"""


def test_a_first_run_killed_before_any_of_its_file_operations_runs_when_it_is_started_again(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", BEGIN_AND_DIE, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, check=True, timeout=120
    )
    attempts = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [attempt["killed"] for attempt in attempts] == [True] * (len(attempts) - 1) + [False]
    for attempt in attempts:
        (status, said), second = attempt["again"]
        assert status == 0, (attempt["left"], ran.stderr)
        head, _, key, sealer = json.loads(said)
        assert (head, key) == (0, sealer)
        assert second == [status, said], "the same chain, with the same key"
    left = [attempt["left"] for attempt in attempts]
    assert ["genesis.json", "lock", "sealer.new"] in left
    assert any("chain" in names and "chain.begun" not in names for names in left)
    assert left[-1] == ["chain", "chain.begun", "genesis.json", "lock", "sealer.key"]


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    """With a chain in it."""
    directory = DataDirectory(tmp_path / "data")
    directory.initialize(chain_id=7, sandbox=False, operators=(), timestamp=1_771_200_000)
    with open_chain(directory):
        pass
    return directory


def _refusal(*arguments: str) -> str:
    refused = CliRunner().invoke(main, arguments)
    assert isinstance(refused.exception, ChainError), refused.exception
    return str(refused.exception)


@pytest.mark.parametrize("command", [("init",), ("run", "--init", "--port", "0"), ("run", "--port", "0"), ("verify",)])
@pytest.mark.parametrize("left", ["sealer.key", "chain", "everything"])
def test_what_is_left_of_a_chain_without_its_genesis_is_not_overwritten(
    directory: DataDirectory, command: tuple[str, ...], left: str
) -> None:
    if left == "sealer.key":
        shutil.rmtree(directory.store)
        (directory.path / "chain.begun").unlink()
    elif left == "chain":
        directory.key_file.unlink()
        (directory.path / "chain.begun").unlink()
    genesis = directory.genesis_file.read_bytes()
    directory.genesis_file.unlink()
    before = {file: file.read_bytes() for file in directory.path.rglob("*") if file.is_file() and file.name != "lock"}
    refusal = _refusal(command[0], "--data", str(directory.path), *command[1:])
    assert f"{left if left != 'everything' else 'sealer.key, chain.begun, chain'} but no genesis.json: copy that back" in refusal
    assert {file: file.read_bytes() for file in directory.path.rglob("*") if file.is_file() and file.name != "lock"} == before
    directory.genesis_file.write_bytes(genesis)
    if left != "chain":
        with open_chain(directory) as history:
            assert history.head.block_number == 0


def test_a_place_made_for_the_chains_disk_is_not_taken_for_a_chain(tmp_path: Path) -> None:
    (tmp_path / "data" / "chain" / "lost+found").mkdir(parents=True)
    with RunningNode(tmp_path / "data") as node:
        assert node.stop() == 0


def test_a_key_left_aside_by_another_chains_init_is_not_taken(directory: DataDirectory, tmp_path: Path) -> None:
    other = DataDirectory(tmp_path / "other")
    other.initialize(chain_id=7, sandbox=False, operators=(), timestamp=1_771_200_000)
    for content in (other.key_file.read_bytes(), other.key_file.read_bytes()[:20]):
        directory.key_file.unlink(missing_ok=True)
        (directory.path / "sealer.new").write_bytes(content)
        assert "the sealer key" in _refusal("run", "--data", str(directory.path), "--port", "0")
        assert not directory.key_file.exists()


def test_two_inits_at_once_make_one_chain(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    lock = directory.lock()  # the other one's
    with pytest.raises(DataDirectoryError, match="is in use by another node"):
        directory.initialize(chain_id=7, sandbox=False, operators=(), timestamp=1_771_200_000)
    assert [file.name for file in directory.path.iterdir()] == ["lock"]
    del lock
