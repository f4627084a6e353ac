"""The block store: all or nothing, growing, private, and honest about a disk that refuses."""

import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from eth_hash.auto import keccak

from node.chain.errors import StoreFailed
from node.chain.ports import Table
from node.store.database import RocksDb


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
