"""A sealed chain in a file, what a dishonest sealer does to it, and the verifier in its own environment."""

from __future__ import annotations

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

PYTHON = ROOT / ".venv-verification" / "bin" / "python"
Lines = list[dict[str, Any]]
Forgery = Callable[[Lines, DataDirectory], None]


def skip_without_the_verifiers_environment(*, module: bool = True) -> None:
    if not PYTHON.exists() and os.environ.get("CI") != "true":
        pytest.skip("scripts/test makes the environment of requirements/verification.txt", allow_module_level=module)


def verified(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(PYTHON), "-I", str(ROOT / "scripts" / "verify_chain.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)


def exported(data: Path, file: Path) -> None:
    done = run_node_command("export", "--data", str(data), str(file))
    assert done.returncode == 0, done.stderr


def lines_of(file: Path) -> Lines:
    return [json.loads(line) for line in file.read_text().splitlines()]


def write(file: Path, lines: Lines) -> Path:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def forge(lines: Lines, directory: DataDirectory, number: int, **fields: object) -> None:
    """As a dishonest sealer would: other header fields, and a seal that holds."""
    block = decode_block(number, bytes.fromhex(lines[number]["block"][2:]))
    _replace(lines, directory, number, Block(block.header.copy(**fields), block.transactions))


def seal_what_follows(lines: Lines, directory: DataDirectory, number: int, **fields: object) -> None:
    """Every later block names its altered parent and is sealed again, with the same forged `fields`."""
    parent = decode_block(number, bytes.fromhex(lines[number]["block"][2:]))
    for later in range(number + 1, len(lines)):
        forge(lines, directory, later, parent_hash=parent.hash, **fields)
        parent = decode_block(later, bytes.fromhex(lines[later]["block"][2:]))


def _replace(lines: Lines, directory: DataDirectory, number: int, block: Block) -> None:
    signature = seal(directory.sealer_key(), bytes.fromhex(lines[0]["genesisHash"][2:]), block.hash)
    lines[number] |= {"block": "0x" + block.raw.hex(), "seal": "0x" + signature.hex()}


def _another_state_root(lines: Lines, directory: DataDirectory) -> None:
    forge(lines, directory, 5, state_root=b"\x07" * 32)


def _another_receipt_root(lines: Lines, directory: DataDirectory) -> None:
    forge(lines, directory, 5, receipt_root=b"\x07" * 32)


def _another_gas_used(lines: Lines, directory: DataDirectory) -> None:
    forge(lines, directory, 5, gas_used=1)


def _a_time_before_the_parents(lines: Lines, directory: DataDirectory) -> None:
    forge(lines, directory, 5, timestamp=1)


def _a_time_in_the_future(lines: Lines, directory: DataDirectory) -> None:
    forge(lines, directory, 5, timestamp=4_102_444_800)


def _another_coinbase(lines: Lines, directory: DataDirectory) -> None:
    forge(lines, directory, 5, coinbase=b"\x07" * 20)


def _another_parent(lines: Lines, directory: DataDirectory) -> None:
    forge(lines, directory, 5, parent_hash=b"\x07" * 32)


def _a_transaction_left_out(lines: Lines, directory: DataDirectory) -> None:
    block = decode_block(5, bytes.fromhex(lines[5]["block"][2:]))
    _replace(lines, directory, 5, Block(block.header.copy(transaction_root=EMPTY_TRIE_ROOT), ()))


def _a_foreign_seal(lines: Lines, directory: DataDirectory) -> None:
    lines[5]["seal"] = lines[6]["seal"]


def _an_altered_byte(lines: Lines, directory: DataDirectory) -> None:
    block = lines[5]["block"]
    lines[5]["block"] = block[:-80] + ("0" if block[-80] != "0" else "1") + block[-79:]


FORGERIES: list[tuple[Forgery, str]] = [
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
]
