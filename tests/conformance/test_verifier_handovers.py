"""The independent verifier follows the sealer's key from handover to handover, and takes none that the one before did not sign."""

import json
from pathlib import Path

import pytest
from eth_keys.datatypes import PrivateKey

from node.chain.history import History
from node.chain.sealing import sealed_by_the_next
from node.config import DataDirectory
from node.opening import beside_a_node
from node.rotation import rotate
from tests.conformance.exported_chain import exported, lines_of, skip_without_the_verifiers_environment, verified, write
from tests.node.running_node import RunningNode
from tests.node.sealed_chain import NOBODY, OPERATOR

skip_without_the_verifiers_environment()

MODES = pytest.mark.parametrize("mode", [(), ("--sample", "1", "--seed", "1")], ids=["full", "fast"])
STRANGER = PrivateKey(b"\x53" * 32)


@pytest.fixture(scope="module")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Block 2 is sealed by the next sealer, by handover."""
    place = tmp_path_factory.mktemp("rotated")
    with RunningNode(place / "data", ("--operator", OPERATOR.address)) as node:
        node.send(OPERATOR, to=NOBODY, value=1)
        node.stop()
    rotate(DataDirectory(place / "data"))
    with RunningNode(place / "data") as node:
        node.send(OPERATOR, to=NOBODY, value=2)
        node.stop()
    exported(place / "data", place / "chain.jsonl")
    return place


@MODES
def test_a_handover_is_followed_and_told(rotated: Path, mode: tuple[str, ...]) -> None:
    done = verified(rotated / "chain.jsonl", *mode)
    assert done.returncode == 0, done.stderr
    with beside_a_node(DataDirectory(rotated / "data")) as (history, _):
        addresses = ["0x" + each.hex() for each in (history.sealers.first, history.sealers.last)]
    told = json.loads(done.stdout)
    assert told["sealers"] == [{"from_block": 0, "sealer": addresses[0]}, {"from_block": 2, "sealer": addresses[1]}]
    assert told["sandbox"] is False


def seals(history: History) -> dict[str, tuple[int, bytes, str]]:
    """Forgeries: the block, its seal, and what is said of it."""
    two, three = history.seal(2), history.seal(3)
    block_hash = history.header(2).hash
    by_a_stranger = sealed_by_the_next(STRANGER, PrivateKey(b"\x54" * 32), 2, history.genesis_hash, block_hash)
    return {
        "without the handover": (2, two[:65], "block 2: the seal is 0x"),
        "by a stranger's handover": (2, by_a_stranger, "block 2: the sealer before has not signed that it hands over"),
        "a handover to somebody else": (2, two[:65] + by_a_stranger[65:85] + two[85:], "block 2: the sealer before has not signed"),
        "cut short": (2, two[:-1], "block 2: the seal is in no form"),
        "the seal of another block before the handover": (2, three + two[65:], "block 2: the seal is 0x"),
        "a handover that has happened": (3, three + two[65:], "block 3: the sealer before has not signed"),
    }


def test_a_forged_handover_is_named(rotated: Path, tmp_path: Path) -> None:
    with beside_a_node(DataDirectory(rotated / "data")) as (history, _):
        forged = seals(history)
    for name, (number, seal, reason) in forged.items():
        lines = lines_of(rotated / "chain.jsonl")
        lines[number]["seal"] = "0x" + seal.hex()
        done = verified(write(tmp_path / "forged.jsonl", lines))
        assert done.returncode == 1, name
        assert done.stderr.startswith(f"refused: {reason}"), (name, done.stderr)
