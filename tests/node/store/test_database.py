"""The block store: all or nothing, growing, private, and honest about a disk that refuses."""

import contextlib
import os
import resource
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from eth_hash.auto import keccak

from node.chain.errors import StoreFailed
from node.chain.ports import Table
from node.store import database
from node.store.database import RocksDb
from node.store.view import View


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    store = RocksDb(tmp_path / "chain")
    store.commit({Table.STATE: {keccak(b"v"): b"v"}, Table.META: {b"head": b"1"}})
    store.close()
    again = RocksDb(tmp_path / "chain")
    assert (again.get(Table.STATE, keccak(b"v")), again.get(Table.META, b"head")) == (b"v", b"1")
    assert again.get(Table.HEADERS, b"k") is None
    again.close()


@pytest.mark.parametrize("size_bytes", [100, 5_000], ids=["node", "code"])
def test_state_whose_bytes_were_flipped_is_named_on_reading(tmp_path: Path, size_bytes: int) -> None:
    good, flipped = bytes(size_bytes), bytes(size_bytes - 1) + b"\x01"
    store = RocksDb(tmp_path / "chain")
    store.commit({Table.STATE: {keccak(good): flipped}})
    store.close()
    again = RocksDb(tmp_path / "chain")
    with pytest.raises(StoreFailed, match=f"state node 0x{keccak(good).hex()} is corrupt"):
        again.get(Table.STATE, keccak(good))
    again.close()


def test_a_store_that_is_not_there_is_not_made_by_reading_it(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match="there is no store"):
        RocksDb(tmp_path / "chain", read_only=True)
    assert not (tmp_path / "chain").exists()


def test_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    RocksDb(tmp_path / "chain").close()
    assert stat.S_IMODE((tmp_path / "chain").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "chain").iterdir()} == {0o600}


def test_a_full_disk_is_named_and_the_last_commit_stays(tmp_path: Path) -> None:
    """A file size limit stands in for the full disk: the kernel refuses the write just the same."""
    script = f"""
import resource, signal
from pathlib import Path
from node.chain.errors import StoreFailed
from node.chain.ports import Table
from node.store import database
from node.store.database import RocksDb
store = RocksDb(Path({str(tmp_path / "chain")!r}))
store.commit({{Table.META: {{b"head": b"1"}}}})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, {resource.RLIM_INFINITY}))
try:
    store.commit({{Table.STATE: {{bytes([n]) * 32: bytes(100_000) for n in range(20)}}, Table.META: {{b"head": b"2"}}}})
except StoreFailed as error:
    print("refused:", error)
print(store.get(Table.META, b"head"))
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.startswith("refused: the store in ")
    assert ran.stdout.endswith("b'1'\n")
    store = RocksDb(tmp_path / "chain")
    assert store.get(Table.META, b"head") == b"1"
    store.close()


@pytest.mark.parametrize("lost", ["CURRENT", "MANIFEST-*"])
def test_tables_without_their_list_are_refused_and_not_deleted(tmp_path: Path, lost: str) -> None:
    store = RocksDb(tmp_path / "chain")
    store.commit({Table.META: {b"head": b"1"}})
    store.close()
    for file in (tmp_path / "chain").glob(lost):
        file.unlink()
    tables = sorted((tmp_path / "chain").glob("*.sst"))
    assert tables
    with pytest.raises(StoreFailed, match="cannot be opened"):
        RocksDb(tmp_path / "chain")
    assert sorted((tmp_path / "chain").glob("*.sst")) == tables


def test_a_store_of_an_earlier_version_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"")
    with pytest.raises(StoreFailed, match=r"earlier version \(LMDB\): `export` with that one, `import` the file with this"):
        RocksDb(tmp_path)


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    store = RocksDb(tmp_path / "chain")
    with pytest.raises(StoreFailed, match="lock"):
        RocksDb(tmp_path / "chain")
    store.close()


def test_a_reader_sees_one_moment_while_the_writer_goes_on_and_leaves_no_trace(tmp_path: Path) -> None:
    writer = RocksDb(tmp_path / "chain")
    writer.commit({Table.META: {b"head": b"1"}})
    files = sorted(tmp_path.rglob("*"))
    reader = RocksDb(tmp_path / "chain", read_only=True)
    writer.commit({Table.META: {b"head": b"2"}})
    assert reader.get(Table.META, b"head") == b"1"
    with pytest.raises(StoreFailed, match="cannot be written"):
        reader.commit({Table.META: {b"head": b"3"}})
    reader.close()
    assert sorted(tmp_path.rglob("*")) == files
    assert writer.get(Table.META, b"head") == b"2"
    writer.close()


def test_readers_find_whole_commits_while_the_writer_changes_its_set_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tables, so that they are written out and merged all the time."""
    monkeypatch.setattr(database, "WRITE_BUFFER_BYTES", 1 << 16)
    writer, stop = RocksDb(tmp_path / "chain"), threading.Event()
    writer.commit({Table.META: {b"head": bytes(8)}})

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            key = number.to_bytes(8, "big")
            writer.commit({Table.BODIES: {key: os.urandom(3_000)}, Table.META: {b"head": key}})

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for _ in range(60):
            with contextlib.closing(RocksDb(tmp_path / "chain", read_only=True)) as reader:
                head = int.from_bytes(reader.get(Table.META, b"head") or b"", "big")
                assert all(reader.get(Table.BODIES, number.to_bytes(8, "big")) for number in range(1, head + 1))
                assert reader.get(Table.BODIES, (head + 1).to_bytes(8, "big")) is None
    finally:
        stop.set()
        writing.join()
        writer.close()


@pytest.mark.parametrize("commits_after", [0, 1])
def test_a_set_of_files_that_changed_under_the_reader_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits_after: int
) -> None:
    writer = RocksDb(tmp_path / "chain")
    writer.commit({Table.BODIES: {b"1": b"body"}, Table.META: {b"head": b"1"}})
    looks = []

    class LateView(View):
        def __init__(self, store: Path, *, cut_logs: bool = False) -> None:
            super().__init__(store, cut_logs=cut_logs)
            looks.append(self)
            if len(looks) == 1:  # what the log held goes into a table that was not there yet
                writer._rows.flush()
                for _ in range(commits_after):
                    writer.commit({Table.BODIES: {b"2": b"body"}, Table.META: {b"head": b"2"}})

    monkeypatch.setattr(database, "View", LateView)
    with contextlib.closing(RocksDb(tmp_path / "chain", read_only=True)) as reader:
        assert reader.get(Table.META, b"head") == (b"2" if commits_after else b"1")
        assert reader.get(Table.BODIES, b"1") == b"body"
    writer.close()
    assert len(looks) == 2
    assert not any(view.path.exists() for view in looks)


def test_a_copy_has_every_row_and_a_damaged_store_is_not_copied(tmp_path: Path) -> None:
    rows = {keccak(value): value for value in (number.to_bytes(500, "big") for number in range(1, 2_000))}
    store = RocksDb(tmp_path / "chain")
    store.commit({Table.STATE: rows, Table.META: {b"head": b"1"}})
    store.copy_to(tmp_path / "copy")
    store.close()
    with contextlib.closing(RocksDb(tmp_path / "copy")) as copy:
        assert all(copy.get(Table.STATE, key) == value for key, value in rows.items())
    (table,) = (tmp_path / "chain").glob("*.sst")
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    with contextlib.closing(RocksDb(tmp_path / "chain", read_only=True)) as damaged, pytest.raises(StoreFailed, match="cannot be copied"):
        damaged.copy_to(tmp_path / "another")


def test_a_row_under_a_bad_checksum_is_named(tmp_path: Path) -> None:
    store = RocksDb(tmp_path / "chain")
    store.commit({Table.RECEIPTS: {number.to_bytes(8, "big"): os.urandom(3_000) for number in range(200)}})
    store.close()
    (table,) = (tmp_path / "chain").glob("*.sst")
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    with contextlib.closing(RocksDb(tmp_path / "chain")) as damaged:
        refusals = {}
        for number in range(200):
            try:
                damaged.get(Table.RECEIPTS, number.to_bytes(8, "big"))
            except StoreFailed as error:
                refusals[number] = str(error)
    assert 1 <= len(refusals) <= 3
    for number, refusal in refusals.items():
        assert f"block {number} in receipts cannot be read" in refusal
        assert "checksum mismatch" in refusal
