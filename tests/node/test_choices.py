"""`--evm` and `--trie` on the command line reach the parts they choose between, and the blocks are the same."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.depth import from_deep_on
from tests.node.cell_contract import CREATION, word
from tests.node.running_node import ROOT, RunningNode, run_node_command
from tests.node.sealed_chain import OPERATOR

OURS = {
    "evm": ("node/chain/compiler/hot_code.py", "node/chain/bn254.py", "node/chain/bls12_381.py"),
    "trie": ("node/chain/trie/pending.py",),
}
PY_EVMS = {
    "evm": ("eth/precompiles/ecmul.py", "eth/precompiles/bls12_381/bls12_381_g1.py"),
    "trie": (),  # py-evm makes the genesis on its own in either case
}
CURVES = ("0x" + "07".rjust(40, "0"), "0x" + "0b".rjust(40, "0"))  # ECMUL, BLS12_G1ADD
CURVE_DATA = ("0x" + "00" * 96, "0x" + "00" * 256)  # infinity times 0, infinity and infinity


class _Watched(RunningNode):
    def start(self) -> RunningNode:
        arguments = ("run", "--data", str(self.data), "--port", "0", "--init", "--operator", OPERATOR.address, *self.arguments)
        self.process = _watched(self.data, *arguments)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the node did not start: {self.process.communicate()[1]}"
        self.ready = json.loads(line)
        self.client = httpx.Client(base_url=self.url, timeout=60)
        return self


def _watched(data: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.node.parts_at_work", str(data.with_suffix(".parts")), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def _parts(data: Path) -> set[str]:
    """Of those known here, the ones that were at work."""
    known = [part for parts in (*OURS.values(), *PY_EVMS.values()) for part in parts]
    at_work = json.loads(data.with_suffix(".parts").read_text())
    return {part for part in known if any(file.endswith("/" + part) for file in at_work)}


@pytest.mark.parametrize(
    "stock",
    from_deep_on([(), ("evm",), ("trie",), ("evm", "trie")], [("evm",), ("trie",)]),
    ids=lambda chosen: " and ".join(chosen) or "neither",
)
def test_stock_parts_are_at_work_where_they_are_asked_for_and_only_there(tmp_path: Path, stock: tuple[str, ...]) -> None:
    data = tmp_path / "data"
    choices = tuple(word for choice in stock for word in (f"--{choice}", "stock"))
    expected = {part for choice in OURS for part in (PY_EVMS if choice in stock else OURS)[choice]}
    with _Watched(data, choices) as node:
        cell = node.send(OPERATOR, data=CREATION)["contractAddress"]
        for to, call_data in ((cell, word(1)), *zip(CURVES, CURVE_DATA, strict=True)):
            assert node.send(OPERATOR, to=to, data=call_data)["status"] == "0x1"
        assert node.stop() == 0
    assert _parts(data) == expected
    verifying = _watched(data, "verify", "--data", str(data), *choices)
    output, errors = verifying.communicate(timeout=120)
    assert verifying.returncode == 0, errors
    assert _parts(data) == expected
    assert json.loads(output)["head_hash"] == json.loads(run_node_command("verify", "--data", str(data)).stdout)["head_hash"]
