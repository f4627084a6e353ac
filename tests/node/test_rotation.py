"""The sealer's key is rotated in the open: whoever has the seals knows whose they must be, and a rotation stopped anywhere is whole."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

from node.__main__ import main
from node.app import open_chain
from node.chain.errors import BadBlock, BadGenesis, StoreFailed
from node.chain.history import HANDOVERS, History
from node.chain.ports import Table
from node.chain.sealing import NotSealed, Sealers, handover_digest, seal, sealed_by_the_next
from node.chain.verification import verify_chain
from node.config import DataDirectory
from node.opening import beside_a_node, sole_user
from node.rotation import rotate
from tests.node.replica.processes import RunningReplica, replica_of
from tests.node.running_node import ROOT, RunningNode, run_node_command
from tests.node.sealed_chain import NOBODY, OPERATOR

OLD, NEW, OTHER = (PrivateKey(bytes([number]) * 32) for number in (5, 6, 7))
GENESIS, BLOCK = keccak(b"genesis"), keccak(b"block")


def address(key: PrivateKey) -> bytes:
    return bytes(key.public_key.to_canonical_address())


def test_a_handover_counts_from_its_block_on() -> None:
    sealers = Sealers(address(OLD)).after(3, GENESIS, BLOCK, sealed_by_the_next(OLD, NEW, 3, GENESIS, BLOCK))
    assert [sealers.at(number) for number in (0, 2, 3, 9)] == [address(OLD), address(OLD), address(NEW), address(NEW)]
    assert sealers.after(4, GENESIS, BLOCK, seal(NEW, GENESIS, BLOCK)) == sealers
    with pytest.raises(NotSealed, match="not the sealer's"):
        sealers.after(4, GENESIS, BLOCK, seal(OLD, GENESIS, BLOCK))


FORGED = {
    "by a stranger": sealed_by_the_next(OTHER, NEW, 3, GENESIS, BLOCK),
    "of another block": sealed_by_the_next(OLD, NEW, 4, GENESIS, BLOCK),
    "of another chain": seal(NEW, GENESIS, BLOCK) + sealed_by_the_next(OLD, NEW, 3, keccak(b"other"), BLOCK)[65:],
    "to itself": sealed_by_the_next(OLD, OLD, 3, GENESIS, BLOCK),
    "without the new one's seal": seal(OLD, GENESIS, BLOCK) + sealed_by_the_next(OLD, NEW, 3, GENESIS, BLOCK)[65:],
    "to somebody else": seal(OTHER, GENESIS, BLOCK) + sealed_by_the_next(OLD, NEW, 3, GENESIS, BLOCK)[65:],
    "cut short": sealed_by_the_next(OLD, NEW, 3, GENESIS, BLOCK)[:-1],
    "with more behind it": sealed_by_the_next(OLD, NEW, 3, GENESIS, BLOCK) + b"\0",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_handover_is_none(name: str) -> None:
    with pytest.raises(NotSealed):
        Sealers(address(OLD)).after(3, GENESIS, BLOCK, FORGED[name])


def test_the_genesis_hands_over_to_nobody() -> None:
    with pytest.raises(NotSealed, match="no form"):
        Sealers(address(OLD)).after(0, GENESIS, GENESIS, sealed_by_the_next(OLD, NEW, 0, GENESIS, GENESIS))


@pytest.fixture(scope="module")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two blocks by the first sealer, a rotation, two by the second, another rotation, one by the third."""
    data = tmp_path_factory.mktemp("rotated") / "data"
    arguments: tuple[str, ...] = ("--operator", OPERATOR.address)
    for value in (1, 2, 3):
        with RunningNode(data, arguments) as node:
            node.send(OPERATOR, to=NOBODY, value=value)
            node.stop()
        arguments = ()
        if value < 3:
            done = CliRunner().invoke(main, ["sealer", "rotate", "--data", str(data)], catch_exceptions=False)
            assert json.loads(done.output)["from_block"] == 2 * value
    return data


def test_the_next_sealer_seals_and_the_chain_says_since_when(rotated: Path) -> None:
    with beside_a_node(DataDirectory(rotated)) as (history, _):
        sealers = history.sealers
        assert [each.number for each in sealers.handovers] == [2, 4]
        assert sealers.last == address(DataDirectory(rotated).sealer_key())
        assert not DataDirectory(rotated).next_key_file.exists(), "the key is in its place, the one before is gone"
        for each, before in zip(sealers.handovers, (sealers.first, sealers.handovers[0].sealer), strict=True):
            signed = handover_digest(history.genesis_hash, each.number, each.sealer)
            assert Sealers(before).after(each.number, history.genesis_hash, history.header(each.number).hash, history.seal(each.number))
            assert signed != handover_digest(history.genesis_hash, each.number + 1, each.sealer)
    shown = CliRunner().invoke(main, ["sealer", "show", "--data", str(rotated)], catch_exceptions=False)
    assert [json.loads(line)["from_block"] for line in shown.output.splitlines()] == [0, 2, 4]


def test_verify_follows_the_handovers(rotated: Path) -> None:
    verified = run_node_command("verify", "--data", str(rotated))
    assert verified.returncode == 0, verified.stderr


def test_what_is_exported_imports_with_its_handovers(rotated: Path, tmp_path: Path) -> None:
    for command in (("export", "--data", str(rotated)), ("import", "--data", str(tmp_path / "imported"))):
        done = run_node_command(*command, str(tmp_path / "chain.jsonl"))
        assert done.returncode == 0, done.stderr
    with beside_a_node(DataDirectory(rotated)) as (ours, _), beside_a_node(DataDirectory(tmp_path / "imported")) as (theirs, _):
        assert theirs.sealers == ours.sealers
    lines = (tmp_path / "chain.jsonl").read_text().splitlines(keepends=True)
    plain = json.loads(lines[2])
    plain["seal"] = plain["seal"][: 2 + 130]
    (tmp_path / "without.jsonl").write_text("".join([*lines[:2], json.dumps(plain) + "\n", *lines[3:]]))
    refused = run_node_command("import", "--data", str(tmp_path / "refused"), str(tmp_path / "without.jsonl"))
    assert refused.returncode == 1
    assert "block 2: the seal is not the sealer's" in refused.stderr


def test_a_replica_follows_across_a_handover(rotated: Path, tmp_path: Path) -> None:
    with RunningNode(rotated) as primary:
        assert primary.ready is not None
        listed = primary.call("splittally_getSealers")
        assert [each["fromBlock"] for each in listed] == ["0x0", "0x2", "0x4"]
        assert (primary.ready["sealer"], primary.call("splittally_getSeal", "0x1")["sealer"]) == (listed[2]["sealer"], listed[0]["sealer"])
        with RunningReplica(tmp_path / "replica", replica_of(primary.url)) as replica:
            replica.wait_for_block(int(primary.call("eth_blockNumber"), 16))
            assert replica.call("splittally_getSealers") == listed


def test_a_backup_and_a_repair_keep_the_handovers(rotated: Path, tmp_path: Path) -> None:
    done = run_node_command("backup", "--data", str(rotated), str(tmp_path / "copy"), "--with-sealer-key")
    assert done.returncode == 0, done.stderr
    with sole_user(DataDirectory(tmp_path / "copy")) as history:
        kept = history.sealers
        history.store.commit({Table.META: {HANDOVERS: b"torn"}})
    with pytest.raises(StoreFailed, match="who sealed is damaged"), sole_user(DataDirectory(tmp_path / "copy")):
        pass
    repaired = run_node_command("repair", "--data", str(tmp_path / "copy"))
    assert repaired.returncode == 0, repaired.stderr
    with sole_user(DataDirectory(tmp_path / "copy")) as history:
        assert history.sealers == kept


def test_verify_compares_the_record_of_who_sealed(rotated: Path, tmp_path: Path) -> None:
    done = run_node_command("backup", "--data", str(rotated), str(tmp_path / "copy"))
    assert done.returncode == 0, done.stderr
    with sole_user(DataDirectory(tmp_path / "copy")) as history:
        record = history.store.get(Table.META, HANDOVERS) or b""
        history.store.commit({Table.META: {HANDOVERS: (1).to_bytes(8) + record[8:]}})
        with pytest.raises(BadBlock, match="who sealed is not what the seals say"):
            list(verify_chain(history))


def test_a_key_that_is_not_the_present_sealers_seals_nothing(rotated: Path, tmp_path: Path) -> None:
    done = run_node_command("backup", "--data", str(rotated), str(tmp_path / "copy"))
    assert done.returncode == 0, done.stderr
    DataDirectory(tmp_path / "copy").write_key(OTHER)
    with pytest.raises(BadGenesis, match="not the key of this chain's sealer"), open_chain(DataDirectory(tmp_path / "copy")):
        pass


ROTATE_AND_DIE = """
import json, os, shutil, sys
from pathlib import Path
from node.app import open_chain
from node.config import DataDirectory
from node.rotation import rotate
from node.store.database import RocksDb

def die_before(step, directory):
    steps = 0
    def count():
        nonlocal steps
        steps += 1
        if steps == step:
            os.kill(os.getpid(), 9)
    def watch(event, arguments):
        if event in ("open", "os.rename") and "sealer" in Path(str(arguments[0])).name:
            count()
    commit = RocksDb.commit
    def counted(self, writes):
        count()
        commit(self, writes)
        count()
    RocksDb.commit = counted
    sys.addaudithook(watch)
    rotate(directory)

def look_and_rotate(directory):
    with open_chain(directory) as history:
        before = len(history.sealers.handovers)
    rotate(directory)
    with open_chain(directory) as history:
        key = directory.sealer_key().public_key.to_canonical_address()
        return [before, len(history.sealers.handovers), history.sealers.last == key, int(history.head.block_number)]

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
    directory = DataDirectory(Path(shutil.copytree(sys.argv[1], Path(sys.argv[2]) / str(step))))
    status, _ = in_a_child(lambda: die_before(step, directory))
    again = in_a_child(lambda: look_and_rotate(directory))
    print(json.dumps({"killed": status == 9, "again": again, "left": directory.next_key_file.exists()}), flush=True)
    if status == 0:
        break
"""


def test_a_rotation_killed_before_any_of_its_steps_is_whole_or_has_not_happened(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.initialize(chain_id=7, sandbox=False, operators=(), timestamp=1_771_200_000)
    with open_chain(directory):
        pass
    (tmp_path / "attempts").mkdir()
    command = [sys.executable, "-c", ROTATE_AND_DIE, str(directory.path), str(tmp_path / "attempts")]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=250)
    assert ran.returncode == 0, ran.stderr
    attempts = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [attempt["killed"] for attempt in attempts] == [True] * (len(attempts) - 1) + [False]
    found = []
    for attempt in attempts:
        status, said = attempt["again"]
        assert status == 0, ran.stderr
        before, *after = json.loads(said)
        assert after == [before + 1, True, before + 1]
        assert attempt["left"] is False
        found.append(before)
    assert sorted(found) == found, "from one step on it has happened, before it has not"
    assert found.count(0) > 2
    assert found.count(1) > 2, "killed after the commit, too"


def test_the_same_directory_rotates_again_and_again(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.initialize(chain_id=7, sandbox=False, operators=(), timestamp=1_771_200_000)
    seen = [rotate(directory).sealer for _ in range(3)]
    with open_chain(directory) as history:
        assert isinstance(history, History)
        assert [each.sealer for each in history.sealers.handovers] == seen
        list(verify_chain(history))
