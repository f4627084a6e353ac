"""A log that a crash or a bad disk has left torn, zeroed, overwritten or flipped: whole commits, or a name for the damage; never a hang."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.node.running_node import ROOT

SEED = 20_261_122
COMMITS = 40
WRITE_AND_DIE = """
import os, sys
from pathlib import Path
from eth_hash.auto import keccak
from node.chain.ports import Table
from node.store.database import RocksDb
store = RocksDb(Path(sys.argv[1]))
for number in range(1, int(sys.argv[2]) + 1):
    values = [keccak(b"%d %d" % (number, row)) * (1 + number % 9) for row in range(1 + 7 * (number % 6))]
    key = number.to_bytes(8, "big")
    state = {keccak(value): value for value in values}
    store.commit({Table.STATE: state, Table.BODIES: {key: b"".join(values)}, Table.META: {b"head": key}})
os.kill(os.getpid(), 9)
"""
READ = """
import sys
from pathlib import Path
from eth_hash.auto import keccak
from node.chain.errors import StoreFailed
from node.chain.ports import Table
from node.store.database import RocksDb
for directory in sys.argv[2:]:
    try:
        store = RocksDb(Path(directory), salvage=sys.argv[1] == "salvage")
    except StoreFailed as error:
        print("refused:", error, flush=True)
        continue
    head = int.from_bytes(store.get(Table.META, b"head") or b"", "big")
    for number in range(1, head + 3):
        size = 32 * (1 + number % 9)
        body = store.get(Table.BODIES, number.to_bytes(8, "big"))
        if number > head:
            assert body is None, "more than the head says"
        else:
            values = [body[at : at + size] for at in range(0, len(body), size)]
            assert len(values) == 1 + 7 * (number % 6)
            assert all(store.get(Table.STATE, keccak(value)) == value for value in values)
    store.close()
    print(head, flush=True)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose writer was killed after its last commit: all of it is in the log still."""
    store = tmp_path_factory.mktemp("torn") / "chain"
    ran = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(store), str(COMMITS)], cwd=ROOT, timeout=60, check=False)
    assert ran.returncode == -9
    return store


def _opened(killed: Path, place: Path, changes: list[Callable[[Path], None]], mode: str = "open") -> list[int | str]:
    """The head found after each change of the log, or the refusal. All in one process, which must end in time."""
    copies = []
    for number, change in enumerate(changes):
        copies.append(Path(shutil.copytree(killed, place / str(number))))
        change(_log(copies[-1]))
    command = [sys.executable, "-c", READ, mode, *map(str, copies)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return [int(line) if line.isdigit() else line for line in ran.stdout.splitlines()]


def _log(store: Path) -> Path:
    (log,) = (file for file in store.glob("*.log") if file.stat().st_size)
    return log


def _cut(length: int) -> Callable[[Path], None]:
    return lambda log: os.truncate(log, length)


def _overwrite(at: int, content: bytes) -> Callable[[Path], None]:
    def change(log: Path) -> None:
        with log.open("r+b") as file:
            file.seek(at)
            file.write(content)

    return change


def _flip(at: int, bit: int) -> Callable[[Path], None]:
    def change(log: Path) -> None:
        content = bytearray(log.read_bytes())
        content[at] ^= 1 << bit
        log.write_bytes(content)

    return change


def test_an_untouched_log_has_every_commit(killed: Path, tmp_path: Path) -> None:
    assert _opened(killed, tmp_path, [lambda log: None]) == [COMMITS]


def test_a_log_cut_off_anywhere_opens_at_its_last_whole_commit(killed: Path, tmp_path: Path) -> None:
    size, dice = _log(killed).stat().st_size, random.Random(SEED)
    lengths = sorted({0, 1, 6, 7, 8, 32_767, 32_768, 32_769, size - 8, size - 7, size - 1, *(dice.randrange(size) for _ in range(50))})
    heads = _opened(killed, tmp_path, [_cut(length) for length in lengths])
    assert all(isinstance(head, int) for head in heads), heads
    assert heads == sorted(heads, key=int)
    assert heads[0] == 0
    assert heads[-1] == COMMITS - 1


def test_a_tail_of_zeros_opens_at_a_whole_commit_or_is_named(killed: Path, tmp_path: Path) -> None:
    size, dice = _log(killed).stat().st_size, random.Random(SEED)
    starts = [size - 1, size - 100, size - 5_000, *(dice.randrange(size) for _ in range(20))]
    for found in _opened(killed, tmp_path, [_overwrite(at, bytes(size - at)) for at in starts]):
        assert isinstance(found, int) or "cannot be opened: Corruption: " in found


def test_zeros_after_the_last_commit_cost_nothing(killed: Path, tmp_path: Path) -> None:
    size = _log(killed).stat().st_size
    assert _opened(killed, tmp_path, [_overwrite(size, bytes(length)) for length in (1, 100, 100_000)]) == [COMMITS] * 3


def test_zeros_amid_the_log_are_not_passed_over(killed: Path, tmp_path: Path) -> None:
    size, dice = _log(killed).stat().st_size, random.Random(SEED)
    places = [(dice.randrange(size - 10_000), dice.choice((7, 64, 4_096))) for _ in range(20)]
    for found in _opened(killed, tmp_path, [_overwrite(at, bytes(length)) for at, length in places]):
        assert isinstance(found, str), f"opened at {found}"


def test_rubbish_at_the_end_is_named_or_costs_nothing_and_never_hangs(killed: Path, tmp_path: Path) -> None:
    """Of such ends RocksDB by itself never returns from about one in fifty."""
    size, dice = _log(killed).stat().st_size, random.Random(SEED)
    ends = [dice.randbytes(dice.choice((7, 100, 1_000, 40_000))) for _ in range(60)]
    ends += [bytes(4) + bytes((0, 0, kind)) for kind in range(256)]
    for found in _opened(killed, tmp_path, [_overwrite(size, end) for end in ends]):
        assert found == COMMITS or "is damaged at byte" in str(found) or "Corruption" in str(found)


def test_a_flipped_bit_never_drops_more_than_a_last_commit_that_looks_torn(killed: Path, tmp_path: Path) -> None:
    size, dice = _log(killed).stat().st_size, random.Random(SEED)
    places = [(dice.randrange(size), dice.randrange(8)) for _ in range(60)]
    for found in _opened(killed, tmp_path, [_flip(*place) for place in places]):
        assert found == COMMITS - 1 or isinstance(found, str), f"opened at {found}"


def test_salvage_reads_what_comes_before_the_damage(killed: Path, tmp_path: Path) -> None:
    size, dice = _log(killed).stat().st_size, random.Random(SEED)
    changes = [_flip(dice.randrange(size), dice.randrange(8)) for _ in range(20)]
    changes += [_overwrite(dice.randrange(size), dice.randbytes(64)) for _ in range(20)]
    heads = _opened(killed, tmp_path, changes, "salvage")
    assert all(isinstance(head, int) for head in heads), heads
    assert max(map(int, heads)) > 0
