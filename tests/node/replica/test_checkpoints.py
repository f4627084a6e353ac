"""Checkpoints find out a sealer that told two stories, and nobody can make one in another's name."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from node.__main__ import main
from node.chain.errors import ChainError
from node.chain.history import block_key
from node.chain.ports import Table
from node.config import DataDirectory
from node.opening import sole_user
from tests.node.replica.processes import RunningReplica, replica_of
from tests.node.running_node import RunningNode, run_node_command
from tests.node.sealed_chain import NOBODY, OPERATOR

BRAND_KEY = "0x" + "21" * 32


def _command(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["checkpoint", *map(str, arguments)])


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sealer's chain up to block 1, and two chains from there; a brand's checkpoint of block 2 of the first."""
    place = tmp_path_factory.mktemp("checkpoints")
    with RunningNode(place / "one", ("--operator", OPERATOR.address)) as node:
        node.send(OPERATOR, to=NOBODY, value=1)
        node.stop()
    shutil.copytree(place / "one", place / "other")
    for name, value in (("one", 2), ("other", 3)):
        with RunningNode(place / name) as node:
            node.send(OPERATOR, to=NOBODY, value=value)
            node.stop()
    (place / "brand.key").write_text(BRAND_KEY + "\n")
    signed = _command("sign", "--data", place / "one", "--key", place / "brand.key")
    assert signed.exit_code == 0, signed.output
    (place / "brand.json").write_text(signed.output)
    return place


def test_a_chain_agrees_with_its_own_checkpoints(stories: Path, tmp_path: Path) -> None:
    first = _command("sign", "--data", stories / "one", "--key", stories / "brand.key", "--block", 1)
    (tmp_path / "first.json").write_text(first.output)
    compared = _command("compare", "--data", stories / "one", stories / "brand.json", tmp_path / "first.json")
    assert compared.exit_code == 0, compared.output
    result = json.loads(compared.output)
    assert (result["agreeing"], result["beyond_this_head"], result["latest_countersigned"]) == (2, 0, 2)
    assert len(result["signers"]) == 1


def test_the_other_story_is_found_out(stories: Path) -> None:
    refused = _command("compare", "--data", stories / "other", stories / "brand.json")
    assert refused.exit_code == 1
    assert isinstance(refused.exception, ChainError)
    assert str(refused.exception).startswith("block 2: two stories: it is 0x")


def test_a_checkpoint_beyond_the_head_is_no_disagreement(stories: Path, tmp_path: Path) -> None:
    with RunningNode(Path(shutil.copytree(stories / "one", tmp_path / "ahead"))) as node:
        node.send(OPERATOR, to=NOBODY, value=1)
        node.stop()
    (tmp_path / "ahead.json").write_text(_command("sign", "--data", tmp_path / "ahead", "--key", stories / "brand.key").output)
    compared = _command("compare", "--data", stories / "one", tmp_path / "ahead.json")
    assert json.loads(compared.output)["beyond_this_head"] == 1


def test_a_replica_refuses_a_story_that_others_did_not_countersign(stories: Path, tmp_path: Path) -> None:
    with RunningNode(Path(shutil.copytree(stories / "other", tmp_path / "primary"))) as primary:
        arguments = replica_of(primary.url, "--checkpoint", str(stories / "brand.json"))
        with RunningReplica(tmp_path / "replica", arguments) as replica:
            assert "block 2: two stories: 0x" in replica.refusal()
        with RunningReplica(tmp_path / "unwarned", replica_of(primary.url)) as replica:
            replica.wait_for_block(2)
            replica.kill()
        again = run_node_command("run", "--data", str(tmp_path / "unwarned"), "--port", "0", *arguments)
        assert again.returncode == 1
        assert "block 2: two stories: it is 0x" in again.stderr
    assert json.loads((tmp_path / "replica" / "refused.json").read_text())["number"] == 2


def test_a_replica_takes_the_story_that_others_countersigned(stories: Path, tmp_path: Path) -> None:
    countersigned = ("--checkpoint", str(stories / "brand.json"))
    with (
        RunningNode(Path(shutil.copytree(stories / "one", tmp_path / "primary"))) as primary,
        RunningReplica(tmp_path / "replica", replica_of(primary.url, *countersigned)) as replica,
    ):
        replica.wait_for_block(2)


def test_verify_holds_the_chain_against_checkpoints(stories: Path, tmp_path: Path) -> None:
    genesis = _command("sign", "--data", stories / "one", "--key", stories / "brand.key", "--block", 0)
    (tmp_path / "genesis.json").write_text(genesis.output)
    countersigned = ("--checkpoint", str(stories / "brand.json"), "--checkpoint", str(tmp_path / "genesis.json"))
    verified = run_node_command("verify", "--data", str(stories / "one"), *countersigned)
    assert verified.returncode == 0, verified.stderr
    found = json.loads(verified.stdout)["checkpoints"]
    assert (found["agreeing"], found["beyond_this_head"], found["latest_countersigned"]) == (2, 0, 2)
    assert found["signers"] == [json.loads(genesis.output)["signer"]]
    refused = run_node_command("verify", "--data", str(stories / "other"), *countersigned)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "error: block 2: two stories: it is 0x" in refused.stderr
    assert "checkpoints" not in json.loads(run_node_command("verify", "--data", str(stories / "other")).stdout)


def test_verify_names_an_earlier_damage_before_a_later_disagreement(stories: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(stories / "other", tmp_path / "data"))
    with sole_user(DataDirectory(data)) as history:
        history.store.commit({Table.SEALS: {block_key(1): bytes(65)}})
    refused = run_node_command("verify", "--data", str(data), "--checkpoint", str(stories / "brand.json"))
    assert "error: block 1: the seal is not the sealer's" in refused.stderr


def test_verify_takes_no_checkpoint_that_nobody_signed(stories: Path, tmp_path: Path) -> None:
    checkpoint = json.loads((stories / "brand.json").read_text())
    (tmp_path / "altered.json").write_text(json.dumps(checkpoint | {"number": 7}))
    refused = run_node_command("verify", "--data", str(stories / "one"), "--checkpoint", str(tmp_path / "altered.json"))
    assert refused.returncode == 1
    assert "the checkpoint of block 7 is not signed by" in refused.stderr


@pytest.mark.parametrize("field", ["blockHash", "signer", "signature", "genesisHash", "number", "blockTime", "witnessedAt"])
def test_an_altered_checkpoint_is_not_its_signers(stories: Path, tmp_path: Path, field: str) -> None:
    checkpoint = json.loads((stories / "brand.json").read_text())
    checkpoint[field] = (
        1 if type(checkpoint[field]) is int else checkpoint[field][:-4] + ("0000" if checkpoint[field][-4:] != "0000" else "1111")
    )
    (tmp_path / "altered.json").write_text(json.dumps(checkpoint))
    refused = _command("compare", "--data", stories / "one", tmp_path / "altered.json")
    assert "is not signed" in str(refused.exception)


def test_a_checkpoint_of_another_chain_is_refused(stories: Path, tmp_path: Path) -> None:
    with RunningNode(tmp_path / "third") as node:
        node.stop()
    refused = _command("compare", "--data", tmp_path / "third", stories / "brand.json")
    assert "of another chain" in str(refused.exception)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format":"splittally-checkpoint/1"}'])
def test_what_is_no_checkpoint_is_refused(stories: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "file").write_text(content)
    assert "is not a checkpoint" in str(_command("compare", "--data", stories / "one", tmp_path / "file").exception)
