"""The Ethereum execution specs' own implementation agrees with every sealed block, and names the first it does not agree with."""

import gzip
import json
import re
from pathlib import Path

import pytest

from node.chain.following import decode_block
from node.config import DataDirectory
from tests.conformance.exported_chain import FORGERIES, Forgery, exported, lines_of, skip_without_the_verifiers_environment, verified, write
from tests.node.sealed_chain import seal_chain

skip_without_the_verifiers_environment()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a chain's data and the file it was exported to."""
    place = tmp_path_factory.mktemp("verifier")
    seal_chain(place / "data", wide=True)
    exported(place / "data", place / "chain.jsonl")
    return place


@pytest.mark.parametrize("plain", [(), ("--plain",)], ids=["only what changed", "the specs' own state"])
def test_the_specs_execute_every_sealed_block_to_the_same_roots(chain: Path, plain: tuple[str, ...]) -> None:
    lines = lines_of(chain / "chain.jsonl")
    done = verified(chain / "chain.jsonl", "--genesis-hash", lines[0]["genesisHash"], *plain)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    head = decode_block(len(lines) - 1, bytes.fromhex(lines[-1]["block"][2:]))
    assert result["transactions"] > 100
    assert result["verified_blocks"] == len(lines) > 18
    assert (result["head_hash"], result["state_root"]) == ("0x" + head.hash.hex(), "0x" + head.header.state_root.hex())


def test_another_genesis_than_the_trusted_one_is_refused(chain: Path) -> None:
    done = verified(chain / "chain.jsonl", "--genesis-hash", "0x" + "11" * 32)
    assert (done.returncode, done.stdout) == (1, "")
    assert "block 0: the genesis hash is" in done.stderr


@pytest.mark.parametrize(("change", "named"), FORGERIES)
def test_the_first_difference_is_named(chain: Path, tmp_path: Path, change: Forgery, named: str) -> None:
    lines = lines_of(chain / "chain.jsonl")
    change(lines, DataDirectory(chain / "data"))
    done = verified(write(tmp_path / "forged.jsonl", lines))
    assert (done.returncode, done.stdout) == (1, ""), done
    assert done.stderr.startswith(f"refused: {named}"), done.stderr


def test_a_torn_file_is_refused_at_the_block_where_it_ends(chain: Path, tmp_path: Path) -> None:
    whole = (chain / "chain.jsonl").read_bytes()
    (tmp_path / "torn.jsonl").write_bytes(b"".join(whole.splitlines(keepends=True)[:9])[:-5])
    done = verified(tmp_path / "torn.jsonl")
    assert done.returncode == 1
    assert "block 8: the file ends or is torn" in done.stderr


@pytest.mark.parametrize("blocks", [None, "3", True, -1, 1.5, [], {}])
def test_a_file_that_does_not_say_how_many_blocks_follow_is_refused(chain: Path, tmp_path: Path, blocks: object) -> None:
    lines = lines_of(chain / "chain.jsonl")
    lines[0]["blocks"] = blocks
    if blocks is None:
        del lines[0]["blocks"]
    done = verified(write(tmp_path / "altered.jsonl", lines))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("refused: ")
    assert "Traceback" not in done.stderr


def test_a_damaged_compression_is_refused_at_the_block_that_cannot_be_read(chain: Path, tmp_path: Path) -> None:
    packed = bytearray(gzip.compress((chain / "chain.jsonl").read_bytes()))
    packed[len(packed) // 2 :] = bytes([0xFF]) * (len(packed) - len(packed) // 2)
    (tmp_path / "damaged.jsonl.gz").write_bytes(packed)
    done = verified(tmp_path / "damaged.jsonl.gz")
    assert done.returncode == 1
    assert re.match(r"refused: block \d+: the file cannot be read at block", done.stderr), done.stderr


def test_an_altered_genesis_is_refused(chain: Path, tmp_path: Path) -> None:
    lines = lines_of(chain / "chain.jsonl")
    lines[0]["genesis"]["timestamp"] += 1
    assert "block 0: the genesis hash does not follow" in verified(write(tmp_path / "altered.jsonl", lines)).stderr
