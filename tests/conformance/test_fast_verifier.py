"""The verifier's fast mode: revm runs the messages, some state roots are compared, and where revm and the chain differ the specs decide."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from node.config import DataDirectory
from tests.conformance.exported_chain import (
    FORGERIES,
    Forgery,
    exported,
    forge,
    lines_of,
    seal_what_follows,
    skip_without_the_verifiers_environment,
    verified,
    write,
)
from tests.node.compiler.random_programs import random_program
from tests.node.running_node import RunningNode
from tests.node.sealed_chain import OPERATOR, send_some_of_everything, widen_the_state

skip_without_the_verifiers_environment()
SEED = 20_261
PROGRAMS = 60


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Something of everything, and random programs: created, called with random data, and called again on what they left."""
    place = tmp_path_factory.mktemp("fast")
    with RunningNode(place / "data", ("--operator", OPERATOR.address)) as node:
        send_some_of_everything(node)
        widen_the_state(node)
        dice = Random(SEED)
        created = _sent(node, [{"data": _returning(random_program(dice)), "gas": 400_000} for _ in range(PROGRAMS)])
        programs = [receipt["contractAddress"] for receipt in created]
        for _ in range(2):
            calls = [{"to": to, "data": "0x" + dice.randbytes(64).hex(), "gas": 300_000, "value": dice.randrange(2)} for to in programs]
            assert {"0x0", "0x1"} == {receipt["status"] for receipt in _sent(node, calls)}, "some succeed, some fail"
        assert node.stop() == 0
    exported(place / "data", place / "chain.jsonl")
    return place


def _sent(node: RunningNode, transactions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    first = node.nonce(OPERATOR)
    signed = [node.signed(OPERATOR, nonce=first + offset, **fields) for offset, fields in enumerate(transactions)]
    return [node.receipt(sent) for sent in [node.call("eth_sendRawTransaction", raw) for raw in signed]]


def _returning(program: bytes) -> str:
    """Creation code: PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN, and the program."""
    return "0x61" + len(program).to_bytes(2, "big").hex() + "80600a5f395ff3" + program.hex()


def test_revm_and_the_specs_agree_with_every_sealed_block(chain: Path) -> None:
    done = verified(chain / "chain.jsonl", "--sample", "100%")
    assert done.returncode == 0, done.stderr
    result, blocks = json.loads(done.stdout), len(lines_of(chain / "chain.jsonl")) - 1
    assert (result["verified_blocks"], result["sampled_blocks"]) == (blocks + 1, blocks)
    assert result["blocks_decided_by_the_specs"] == 0
    assert result["messages_on_revm"] > 200
    assert sum(result["messages_on_the_specs"].values()) == result["transactions"] - result["messages_on_revm"]


def test_what_revm_does_not_know_runs_on_the_specs_and_is_counted(chain: Path) -> None:
    result = json.loads(verified(chain / "chain.jsonl", "--sample", "1").stdout)
    reasons = result["messages_on_the_specs"]
    assert {"it sets code for an account (EIP-7702)", "it looks at a precompile that revm lacks"} <= reasons.keys()


def test_the_same_seed_takes_the_same_blocks_and_a_share_is_rounded_up(chain: Path) -> None:
    blocks = len(lines_of(chain / "chain.jsonl")) - 1
    result = json.loads(verified(chain / "chain.jsonl", "--sample", "10%", "--seed", "1").stdout)
    assert result["seed"] == 1
    assert 0 <= result["sampled_blocks"] - -(-blocks // 10) <= 1, "the last block is added if it was not drawn"


@pytest.mark.parametrize(("change", "named"), FORGERIES)
def test_the_first_difference_is_named_as_in_the_full_mode(chain: Path, tmp_path: Path, change: Forgery, named: str) -> None:
    lines = lines_of(chain / "chain.jsonl")
    change(lines, DataDirectory(chain / "data"))
    done = verified(write(tmp_path / "forged.jsonl", lines), "--sample", "1", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["refused"].startswith(named)
    assert done.stderr.startswith(f"refused: {named}"), done.stderr


def test_a_false_state_that_the_chain_goes_on_from_is_found_at_the_last_block_and_named_at_its_first(chain: Path, tmp_path: Path) -> None:
    lines, directory = lines_of(chain / "chain.jsonl"), DataDirectory(chain / "data")
    forge(lines, directory, 5, state_root=b"\x07" * 32)
    seal_what_follows(lines, directory, 5, state_root=b"\x07" * 32)
    done = verified(write(tmp_path / "forged.jsonl", lines), "--sample", "1")
    assert done.stderr.startswith("refused: block 5: state_root differs: the chain has 0x0707"), done.stderr


def test_a_false_state_root_alone_is_found_only_if_its_block_is_in_the_sample(chain: Path, tmp_path: Path) -> None:
    """The limit of the fast mode: the chain goes on from the true state, one sealed header lies about it."""
    lines, directory = lines_of(chain / "chain.jsonl"), DataDirectory(chain / "data")
    forge(lines, directory, 5, state_root=b"\x07" * 32)
    seal_what_follows(lines, directory, 5)
    forged = write(tmp_path / "forged.jsonl", lines)
    assert verified(forged, "--sample", "1", "--seed", "3").returncode == 0
    for thorough in (("--sample", "100%"), ()):
        assert verified(forged, *thorough).stderr.startswith("refused: block 5: state_root differs"), thorough


def test_where_revm_is_wrong_the_specs_decide_for_the_chain(tmp_path: Path) -> None:
    """A call of P256VERIFY inside a call that fails leaves no trace in revm but its gas."""
    with RunningNode(tmp_path / "data", ("--operator", OPERATOR.address)) as node:
        hidden = bytes.fromhex("5f5f5f5f6101005afa5f5ffd")  # STATICCALL(GAS, 0x100, 0, 0, 0, 0), REVERT(0, 0)
        inner = _sent(node, [{"data": _returning(hidden)}])[0]["contractAddress"]
        calling = bytes.fromhex(f"5f5f5f5f5f73{inner[2:]}5af100")  # CALL(GAS, inner, 0, 0, 0, 0, 0), STOP
        outer = _sent(node, [{"data": _returning(calling)}])[0]["contractAddress"]
        assert [receipt["status"] for receipt in _sent(node, [{"to": outer}]) + _sent(node, [{"to": outer}])] == ["0x1", "0x1"]
        node.stop()
    exported(tmp_path / "data", tmp_path / "chain.jsonl.gz")
    done = verified(tmp_path / "chain.jsonl.gz", "--sample", "100%")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["verified_blocks"], result["blocks_decided_by_the_specs"]) == (5, 2)


@pytest.mark.parametrize("sample", ["-1", "101%", "half", "1.5", ""])
def test_what_is_no_sample_is_refused(chain: Path, sample: str) -> None:
    assert verified(chain / "chain.jsonl", f"--sample={sample}").returncode == 2
