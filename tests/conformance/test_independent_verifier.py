"""The Ethereum execution specs' own implementation agrees with every sealed block, and names the first it does not agree with."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.chain.blocks import Block
from node.chain.following import decode_block
from node.chain.rules import EMPTY_TRIE_ROOT
from node.chain.sealing import seal
from node.config import DataDirectory
from tests.node.running_node import ROOT, run_node_command
from tests.node.sealed_chain import seal_chain

PYTHON = ROOT / ".venv-verification" / "bin" / "python"
Lines = list[dict[str, Any]]

if not PYTHON.exists() and os.environ.get("CI") != "true":
    pytest.skip("scripts/test makes the environment of requirements/verification.txt", allow_module_level=True)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a chain's data and the file it was exported to."""
    place = tmp_path_factory.mktemp("verifier")
    seal_chain(place / "data", wide=True)
    exported = run_node_command("export", "--data", str(place / "data"), str(place / "chain.jsonl"))
    assert exported.returncode == 0, exported.stderr
    return place


def _verified(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(PYTHON), "-I", str(ROOT / "scripts" / "verify_chain.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)


def _lines(chain: Path) -> Lines:
    return [json.loads(line) for line in (chain / "chain.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("plain", [(), ("--plain",)], ids=["only what changed", "the specs' own state"])
def test_the_specs_execute_every_sealed_block_to_the_same_roots(chain: Path, plain: tuple[str, ...]) -> None:
    lines = _lines(chain)
    done = _verified(chain / "chain.jsonl", "--genesis-hash", lines[0]["genesisHash"], *plain)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    head = decode_block(len(lines) - 1, bytes.fromhex(lines[-1]["block"][2:]))
    assert result["transactions"] > 100
    assert result["verified_blocks"] == len(lines) > 18
    assert (result["head_hash"], result["state_root"]) == ("0x" + head.hash.hex(), "0x" + head.header.state_root.hex())


def test_another_genesis_than_the_trusted_one_is_refused(chain: Path) -> None:
    done = _verified(chain / "chain.jsonl", "--genesis-hash", "0x" + "11" * 32)
    assert (done.returncode, done.stdout) == (1, "")
    assert "block 0: the genesis hash is" in done.stderr


def _forge(lines: Lines, directory: DataDirectory, number: int, **fields: object) -> None:
    """As a dishonest sealer would: other header fields, and a seal that holds."""
    block = decode_block(number, bytes.fromhex(lines[number]["block"][2:]))
    forged = Block(block.header.copy(**fields), block.transactions)
    genesis_hash = bytes.fromhex(lines[0]["genesisHash"][2:])
    signature = seal(directory.sealer_key(), genesis_hash, forged.hash)
    lines[number] |= {"block": "0x" + forged.raw.hex(), "seal": "0x" + signature.hex()}


def _another_state_root(lines: Lines, directory: DataDirectory) -> None:
    _forge(lines, directory, 5, state_root=b"\x07" * 32)


def _another_receipt_root(lines: Lines, directory: DataDirectory) -> None:
    _forge(lines, directory, 5, receipt_root=b"\x07" * 32)


def _another_gas_used(lines: Lines, directory: DataDirectory) -> None:
    _forge(lines, directory, 5, gas_used=1)


def _a_time_before_the_parents(lines: Lines, directory: DataDirectory) -> None:
    _forge(lines, directory, 5, timestamp=1)


def _a_time_in_the_future(lines: Lines, directory: DataDirectory) -> None:
    _forge(lines, directory, 5, timestamp=4_102_444_800)


def _another_coinbase(lines: Lines, directory: DataDirectory) -> None:
    _forge(lines, directory, 5, coinbase=b"\x07" * 20)


def _another_parent(lines: Lines, directory: DataDirectory) -> None:
    _forge(lines, directory, 5, parent_hash=b"\x07" * 32)


def _a_transaction_left_out(lines: Lines, directory: DataDirectory) -> None:
    block = decode_block(5, bytes.fromhex(lines[5]["block"][2:]))
    forged = Block(block.header.copy(transaction_root=EMPTY_TRIE_ROOT), ())
    signature = seal(directory.sealer_key(), bytes.fromhex(lines[0]["genesisHash"][2:]), forged.hash)
    lines[5] |= {"block": "0x" + forged.raw.hex(), "seal": "0x" + signature.hex()}


def _a_foreign_seal(lines: Lines, directory: DataDirectory) -> None:
    lines[5]["seal"] = lines[6]["seal"]


def _an_altered_byte(lines: Lines, directory: DataDirectory) -> None:
    block = lines[5]["block"]
    lines[5]["block"] = block[:-80] + ("0" if block[-80] != "0" else "1") + block[-79:]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_another_state_root, "block 5: state_root differs: the chain has 0x0707"),
        (_another_receipt_root, "block 5: receipt_root differs: the chain has 0x0707"),
        (_another_gas_used, "block 5: gas_used differs: the chain has 1, the specs give "),
        (_a_time_before_the_parents, "block 5: the specs refuse it: InvalidBlock() in validate_header"),
        (_a_time_in_the_future, "block 5: its timestamp 4102444800 lies in the future"),
        (_another_coinbase, "block 5: coinbase is 0x0707"),
        (_another_parent, "block 5: the specs refuse it: InvalidBlock() in validate_header"),
        (_a_transaction_left_out, "block 5: receipt_root differs"),
        (_a_foreign_seal, "block 5: the seal is 0x"),
        (_an_altered_byte, "block 5: "),
    ],
)
def test_the_first_difference_is_named(chain: Path, tmp_path: Path, change: Callable[[Lines, DataDirectory], None], named: str) -> None:
    lines = _lines(chain)
    change(lines, DataDirectory(chain / "data"))
    (tmp_path / "forged.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = _verified(tmp_path / "forged.jsonl")
    assert (done.returncode, done.stdout) == (1, ""), done
    assert done.stderr.startswith(f"refused: {named}"), done.stderr


def test_a_torn_file_is_refused_at_the_block_where_it_ends(chain: Path, tmp_path: Path) -> None:
    whole = (chain / "chain.jsonl").read_bytes()
    (tmp_path / "torn.jsonl").write_bytes(b"".join(whole.splitlines(keepends=True)[:9])[:-5])
    done = _verified(tmp_path / "torn.jsonl")
    assert done.returncode == 1
    assert "block 8: the file ends or is torn" in done.stderr


def test_an_altered_genesis_is_refused(chain: Path, tmp_path: Path) -> None:
    lines = _lines(chain)
    lines[0]["genesis"]["timestamp"] += 1
    (tmp_path / "altered.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "block 0: the genesis hash does not follow" in _verified(tmp_path / "altered.jsonl").stderr
