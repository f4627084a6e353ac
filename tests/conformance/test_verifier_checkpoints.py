"""The independent verifier holds a chain file against what brands and auditors countersigned, each as its block passes."""

import json
import shutil
from pathlib import Path

import pytest

from tests.conformance.exported_chain import exported, skip_without_the_verifiers_environment, verified
from tests.node.running_node import RunningNode, run_node_command
from tests.node.sealed_chain import NOBODY, OPERATOR

skip_without_the_verifiers_environment()

MODES = pytest.mark.parametrize("mode", [(), ("--sample", "1", "--seed", "1")], ids=["full", "fast"])


def _signed(data: Path, key: Path, block: int, file: Path) -> Path:
    done = run_node_command("checkpoint", "sign", "--data", str(data), "--key", str(key), "--block", str(block))
    assert done.returncode == 0, done.stderr
    file.write_text(done.stdout)
    return file


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Chain files of one sealer's two stories, which part at block 2, and of a third chain; checkpoints of the first one."""
    place = tmp_path_factory.mktemp("stories")
    with RunningNode(place / "one", ("--operator", OPERATOR.address)) as node:
        node.send(OPERATOR, to=NOBODY, value=1)
        node.stop()
    shutil.copytree(place / "one", place / "other")
    for name, value in (("one", 2), ("other", 3)):
        with RunningNode(place / name) as node:
            for _ in range(2):
                node.send(OPERATOR, to=NOBODY, value=value)
            node.stop()
    with RunningNode(place / "third", ("--operator", OPERATOR.address)) as node:
        node.stop()
    (place / "brand.key").write_text("0x" + "21" * 32 + "\n")
    for block in (0, 1, 2, 3):
        _signed(place / "one", place / "brand.key", block, place / f"block {block}.json")
    for name in ("one", "other", "third"):
        exported(place / name, place / f"{name}.jsonl")
    return place


@MODES
def test_a_chain_agrees_with_its_own_checkpoints(stories: Path, mode: tuple[str, ...]) -> None:
    files = [part for block in (0, 2, 3) for part in ("--checkpoint", stories / f"block {block}.json")]
    done = verified(stories / "one.jsonl", *files, *mode)
    assert done.returncode == 0, done.stderr
    signer = json.loads((stories / "block 0.json").read_text())["signer"]
    found = json.loads(done.stdout)["checkpoints"]
    assert found == {"agreeing": 3, "beyond_this_head": 0, "latest_countersigned": 3, "signers": [signer]}
    assert "checkpoints" not in json.loads(verified(stories / "one.jsonl", *mode).stdout)


@MODES
def test_the_other_story_is_found_out_at_the_block_that_was_countersigned(stories: Path, mode: tuple[str, ...]) -> None:
    common = verified(stories / "other.jsonl", "--checkpoint", stories / "block 1.json", *mode)
    assert common.returncode == 0, common.stderr
    done = verified(stories / "other.jsonl", "--checkpoint", stories / "block 2.json", "--json", *mode)
    assert done.returncode == 1
    assert done.stderr.startswith("refused: block 2: two stories: it is 0x")
    assert json.loads(done.stdout)["refused"].endswith(f"countersigned {json.loads((stories / 'block 2.json').read_text())['blockHash']}")


def test_a_checkpoint_beyond_the_head_is_no_disagreement(stories: Path, tmp_path: Path) -> None:
    with RunningNode(Path(shutil.copytree(stories / "one", tmp_path / "ahead"))) as node:
        node.send(OPERATOR, to=NOBODY, value=1)
        node.stop()
    ahead = _signed(tmp_path / "ahead", stories / "brand.key", 4, tmp_path / "ahead.json")
    done = verified(stories / "one.jsonl", "--checkpoint", ahead)
    assert json.loads(done.stdout)["checkpoints"] == {"agreeing": 0, "beyond_this_head": 1, "latest_countersigned": None, "signers": []}


def test_another_chain_than_the_countersigned_one_is_refused(stories: Path) -> None:
    done = verified(stories / "third.jsonl", "--checkpoint", stories / "block 2.json")
    assert done.returncode == 1
    assert "countersigned a chain whose genesis is 0x" in done.stderr


@pytest.mark.parametrize("field", ["blockHash", "signer", "signature", "genesisHash", "number", "blockTime", "witnessedAt", "format"])
def test_what_nobody_signed_says_nothing_about_the_chain(stories: Path, tmp_path: Path, field: str) -> None:
    checkpoint = json.loads((stories / "block 2.json").read_text())
    checkpoint[field] = (
        1 if type(checkpoint[field]) is int else checkpoint[field][:-4] + ("0000" if checkpoint[field][-4:] != "0000" else "1111")
    )
    (tmp_path / "altered.json").write_text(json.dumps(checkpoint))
    done = verified(stories / "one.jsonl", "--checkpoint", tmp_path / "altered.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"cannot be run: {tmp_path / 'altered.json'} is not ")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format":"splittally-checkpoint/1"}'])
def test_what_is_no_checkpoint_is_refused(stories: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "file").write_text(content)
    done = verified(stories / "one.jsonl", "--checkpoint", tmp_path / "file")
    assert (done.returncode, "is not a checkpoint" in done.stderr) == (2, True)
