"""What verification finds broken is restored from a backup, a chain file or a replica; history is never rewritten."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from eth_hash.auto import keccak

from node.__main__ import main
from node.chain.errors import ChainError, StoreFailed
from node.chain.history import HEAD, block_key
from node.chain.ports import Table
from node.chain.verification import verify_chain
from node.config import DataDirectory
from node.opening import beside_a_node, sole_user
from node.store.database import RocksDb
from node.store.recovery import CLOCK
from tests.node.lost_chain import WAYS_TO_LOSE_A_CHAIN
from tests.node.replica.processes import RunningReplica, replica_of
from tests.node.running_node import RunningNode, run_node_command
from tests.node.sealed_chain import OPERATOR, seal_chain

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present")

BROKEN = 5  # a block with a transaction and a log


@dataclass(frozen=True)
class Places:
    data: Path
    head: int
    sources: dict[str, str]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """A stopped node's data, and the same chain in a backup, in a file and in a running replica."""
    place = tmp_path_factory.mktemp("repair")
    data = place / "data"
    head = seal_chain(data)
    assert run_node_command("backup", "--data", str(data), str(place / "backup")).returncode == 0
    assert run_node_command("export", "--data", str(data), str(place / "chain.jsonl")).returncode == 0
    shutil.copytree(data, place / "primary")
    with RunningNode(place / "primary") as primary, RunningReplica(place / "replica", replica_of(primary.url)) as replica:
        replica.wait_for_block(head)
        yield Places(data, head, {"backup": str(place / "backup"), "file": str(place / "chain.jsonl"), "replica": replica.url})


@pytest.fixture
def data(places: Places, tmp_path: Path) -> Path:
    return Path(shutil.copytree(places.data, tmp_path / "data"))


def _plant(data: Path, table: Table, key: bytes, value: bytes) -> None:
    """A row that is wrong under a good checksum: what no checksum finds."""
    store = RocksDb(data / "chain")
    store.commit({table: {key: value}})
    store.close()


def _key(data: Path, table: Table) -> bytes:
    with beside_a_node(DataDirectory(data)) as (history, _):
        block = history.block(BROKEN)
        keys = {Table.STATE: block.header.state_root, Table.HASHES: block.hash, Table.TRANSACTIONS: block.transactions[0].hash}
        return keys.get(table, block_key(BROKEN))


def _run(data: Path, source: str | None = None) -> tuple[int, dict[str, Any], str]:
    """Status, result and what it says besides, as of the command."""
    ran = CliRunner().invoke(main, ["repair", "--data", str(data), *(() if source is None else ("--from", source))])
    if ran.exception is None:
        return 0, json.loads(ran.stdout), ran.stderr
    assert isinstance(ran.exception, ChainError), ran.exception
    return 1, {}, str(ran.exception)


def _verified(data: Path) -> int:
    """The number of blocks. Raises a ChainError for what is wrong."""
    with sole_user(DataDirectory(data)) as history:
        return len(list(verify_chain(history)))


@pytest.mark.parametrize(
    ("table", "named", "source"),
    [
        (Table.STATE, "is corrupt", "replica"),
        (Table.HEADERS, f"block {BROKEN}: ", "file"),
        (Table.BODIES, f"block {BROKEN}: ", "replica"),
        (Table.RECEIPTS, f"block {BROKEN}: its stored receipts", "backup"),
        (Table.SEALS, f"block {BROKEN}: the seal is not the sealer's", "backup"),
        (Table.HASHES, f"block {BROKEN}: its hash is indexed under another number", "file"),
        (Table.TRANSACTIONS, f"block {BROKEN}: transaction 0 is indexed elsewhere", "replica"),
    ],
    ids=lambda value: value.value.decode() if isinstance(value, Table) else None,
)
def test_a_planted_corruption_is_named_and_repaired(places: Places, data: Path, table: Table, named: str, source: str) -> None:
    key = _key(data, table)
    with beside_a_node(DataDirectory(data)) as (_, store):
        good = store.get(table, key)
    assert good is not None
    _plant(data, table, key, good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(ChainError, match=named):
        _verified(data)
    status, result, errors = _run(data, places.sources[source])
    assert status == 0, errors
    assert result["head"] == places.head
    assert table.value.decode() in result["restored_rows"]
    assert result["blocks_from_source"] == (table in (Table.HEADERS, Table.BODIES, Table.SEALS))
    assert Path(result["damaged_store"]).is_dir()
    assert _verified(data) == places.head + 1


@pytest.mark.parametrize("junk", [b"", b"\xff", b"\xc1\x80", b"\xc1\xc0", b"\xc1\x05"])
@pytest.mark.parametrize("table", [Table.HEADERS, Table.BODIES, Table.RECEIPTS], ids=lambda table: table.value.decode())
def test_a_row_that_cannot_be_decoded_is_repaired_wherever_it_is(places: Places, data: Path, table: Table, junk: bytes) -> None:
    for number in (BROKEN, places.head):
        _plant(data, table, block_key(number), junk)
    status, result, errors = _run(data, places.sources["backup"])
    assert status == 0, errors
    assert result["restored_rows"] == {table.value.decode(): 2}
    assert result["blocks_from_source"] == (0 if table is Table.RECEIPTS else 2)
    assert _verified(data) == places.head + 1


@pytest.mark.parametrize("junk", [b"", b"rubbish", b"5", b"{}"])
def test_a_clock_that_cannot_be_decoded_is_named_and_repaired(places: Places, data: Path, junk: bytes) -> None:
    _plant(data, Table.META, CLOCK, junk)
    ran = run_node_command("run", "--data", str(data), "--port", "0")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "error: the chain's clock in the store cannot be decoded" in ran.stderr
    assert _run(data)[1]["restored_rows"] == {"meta": 1}
    with RunningNode(data) as node:
        assert node.send(OPERATOR, to=OPERATOR.address)["blockNumber"] == hex(places.head + 1)


def test_what_follows_from_the_blocks_is_repaired_without_a_source(places: Places, data: Path) -> None:
    _plant(data, Table.RECEIPTS, block_key(BROKEN), b"")
    _plant(data, Table.STATE, _key(data, Table.STATE), b"")
    status, result, _ = _run(data)
    assert (status, result["restored_rows"], result["blocks_from_source"]) == (0, {"receipts": 1, "state": 1}, 0)
    assert _verified(data) == places.head + 1


def test_a_lost_block_is_named_when_there_is_no_source_and_nothing_changes(data: Path) -> None:
    _plant(data, Table.BODIES, block_key(BROKEN), b"")
    status, _, errors = _run(data)
    assert status == 1
    assert f"block {BROKEN} is broken here" in errors
    assert "there is no source; nothing was changed" in errors
    assert sorted(path.name for path in data.iterdir()) == ["chain", "chain.begun", "genesis.json", "lock", "sealer.key"]


def test_a_store_with_nothing_wrong_is_left_as_it_is(places: Places, data: Path) -> None:
    status, result, _ = _run(data, places.sources["backup"])
    assert status == 0
    assert (result["restored_rows"], result["damaged_store"]) == ({}, None)
    assert not (data / "chain.damaged").exists()


@pytest.mark.parametrize(
    ("source", "way"), [("backup", "emptied"), ("file", "rows_lost"), ("replica", "removed"), ("file", "link_led_away")]
)
def test_a_lost_store_comes_back_whole_and_seals_on(places: Places, data: Path, source: str, way: str) -> None:
    WAYS_TO_LOSE_A_CHAIN[way](data / "chain")
    assert "there is no source" in _run(data)[2] or "no source has it" in _run(data)[2]
    status, result, errors = _run(data, places.sources[source])
    assert status == 0, errors
    assert result["head"] == places.head
    with RunningNode(data) as node:
        assert node.send(OPERATOR, to=OPERATOR.address)["blockNumber"] == hex(places.head + 1)


@pytest.mark.parametrize("lost", ["CURRENT", "MANIFEST-*"])
def test_blocks_whose_list_of_tables_is_lost_are_still_the_first_to_be_taken(places: Places, data: Path, lost: str) -> None:
    for file in (data / "chain").glob(lost):
        file.unlink()
    with pytest.raises(StoreFailed, match="cannot be opened"):
        _verified(data)
    status, result, errors = _run(data)
    assert status == 0, errors
    assert result["head"] == places.head
    assert "warning: anything the damaged store held after block" in errors
    assert _verified(data) == places.head + 1


def test_a_damaged_log_keeps_its_good_blocks_and_gets_the_others_from_the_source(places: Places, data: Path, tmp_path: Path) -> None:
    with RunningNode(data) as node:
        for _ in range(6):
            node.send(OPERATOR, to=OPERATOR.address)
        node.kill()  # a stop would have left the log empty
    assert run_node_command("backup", "--data", str(data), str(tmp_path / "backup")).returncode == 0
    log = max((data / "chain").glob("*.log"), key=lambda file: file.stat().st_size)
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    with pytest.raises(StoreFailed, match="cannot be opened: Corruption"):
        _verified(data)
    status, result, errors = _run(data, str(tmp_path / "backup"))
    assert status == 0, errors
    assert 0 < result["blocks_from_source"] < 6
    assert f"warning: anything the damaged store held after block {places.head + 6}" in errors
    assert _verified(data) == places.head + 7


def test_a_source_that_is_damaged_too_gives_what_it_can(places: Places, data: Path, tmp_path: Path) -> None:
    _plant(data, Table.BODIES, block_key(BROKEN), b"")
    copy = Path(shutil.copytree(places.sources["backup"], tmp_path / "copy"))
    _plant(copy, Table.BODIES, block_key(BROKEN + 1), b"")
    assert _run(data, str(copy))[0] == 0
    assert _verified(data) == places.head + 1


def test_a_source_that_is_damaged_in_the_same_place_is_refused(places: Places, data: Path, tmp_path: Path) -> None:
    _plant(data, Table.BODIES, block_key(BROKEN), b"")
    copy = Path(shutil.copytree(data, tmp_path / "copy"))
    status, _, errors = _run(data, str(copy))
    assert status == 1
    assert f"block {BROKEN} is broken here" in errors


def test_another_chain_is_refused(data: Path, tmp_path: Path) -> None:
    with RunningNode(tmp_path / "other", ("--operator", OPERATOR.address)) as other:
        status, _, errors = _run(data, other.url)
    assert status == 1
    assert "another chain" in errors


def test_a_source_with_another_block_of_a_number_is_refused_and_nothing_changes(places: Places, data: Path, tmp_path: Path) -> None:
    """Two stories of one sealer: copies of one directory that both sealed on."""
    forked = Path(shutil.copytree(places.data, tmp_path / "forked"))
    for path, amount in ((data, 1), (forked, 2)):
        with RunningNode(path) as node:
            node.send(OPERATOR, to=OPERATOR.address, value=amount)
            node.stop()
    _plant(data, Table.RECEIPTS, block_key(BROKEN), b"")
    status, _, errors = _run(data, str(forked))
    assert status == 1
    assert f"block {places.head + 1}: the source has another one, 0x" in errors
    _plant(data, Table.BODIES, block_key(places.head + 1), b"")  # what the sealer sealed is still known
    status, _, errors = _run(data, str(forked))
    assert status == 1
    assert f"block {places.head + 1}: the source has another one, 0x" in errors
    assert not (data / "chain.repaired").exists()
    assert not (data / "chain.damaged").exists()


def test_a_head_that_fell_back_is_put_right_from_the_rows_after_it(places: Places, data: Path) -> None:
    _plant(data, Table.META, HEAD, block_key(BROKEN))
    status, result, _ = _run(data)
    assert (status, result["head"]) == (0, places.head)
    assert _verified(data) == places.head + 1


def test_a_repair_stopped_between_two_names_is_not_taken_for_an_empty_chain(places: Places, data: Path) -> None:
    _plant(data, Table.RECEIPTS, block_key(BROKEN), b"")
    assert _run(data)[0] == 0
    (data / "chain").rename(data / "chain.repaired")  # as it was between the two renames
    with pytest.raises(StoreFailed, match="a repair was stopped half-way"):
        _verified(data)
    status, _, errors = _run(data)
    assert status == 1
    assert "chain.damaged is there from an earlier repair; move it away" in errors
    shutil.rmtree(data / "chain.damaged")
    assert _verified(data) == places.head + 1


def test_a_node_at_work_is_not_repaired(data: Path) -> None:
    with RunningNode(data):
        status, _, errors = _run(data)
    assert status == 1
    assert "is in use by another node" in errors


def test_a_sandbox_keeps_its_set_time(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with RunningNode(data, ("--sandbox", "--timestamp", "1000000", "--operator", OPERATOR.address)) as node:
        node.call("evm_increaseTime", 86_400)
        node.send(OPERATOR, to=OPERATOR.address)
        node.call("evm_setNextBlockTimestamp", 9_000_000)
        node.stop()
    with sole_user(DataDirectory(data)) as history:
        history.store.commit({Table.STATE: {history.head.state_root: b"rubbish"}})
    assert _run(data)[0] == 0
    with RunningNode(data) as node:
        sent = node.send(OPERATOR, to=OPERATOR.address)
        assert int(node.call("eth_getBlockByNumber", sent["blockNumber"], False)["timestamp"], 16) == 9_000_000


def test_rubbish_is_no_source(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(keccak(b"rubbish"))
    for source in (str(tmp_path / "file"), str(tmp_path / "missing"), str(tmp_path), "http://127.0.0.1:9"):
        assert _run(data, source)[0] == 1
