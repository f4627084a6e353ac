"""The same chains end at the same heads in the Ethereum execution specs: what stock py-evm made is what the forks' rules say."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conformance.chains.own_chains import CHAIN_ID, FORKS, OwnChain, own_chain

HERE = Path(__file__).parent
PYTHON = HERE.parents[2] / ".venv-verification" / "bin" / "python"
pytestmark = pytest.mark.filterwarnings("ignore")


def _on_the_specs(own: OwnChain, blocks: list[bytes]) -> subprocess.CompletedProcess[str]:
    if not PYTHON.exists() and os.environ.get("CI") != "true":
        pytest.skip("scripts/test makes the environment of requirements/verification.txt")
    accounts = {
        address.hex(): {**account, "balance": str(account["balance"]), "code": account["code"].hex()}
        for address, account in own.accounts.items()
    }
    given = {"fork": own.fork, "chain_id": CHAIN_ID, "accounts": accounts, "genesis": own.genesis_block.hex()}
    text = json.dumps({**given, "blocks": [block.hex() for block in blocks]})
    command = [str(PYTHON), "-I", str(HERE / "specs_import.py")]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)


EVERY_TIME = ("homestead", "london", "prague")


@pytest.mark.parametrize("fork", [fork if fork in EVERY_TIME else pytest.param(fork, marks=pytest.mark.deep) for fork in FORKS])
def test_the_specs_come_to_the_same_head(fork: str) -> None:
    own = own_chain(fork)
    done = _on_the_specs(own, own.blocks)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert done.stdout.strip() == own.head.hex()


def test_the_specs_refuse_a_chain_with_a_block_left_out() -> None:
    own = own_chain("london")
    assert "InvalidBlock" in _on_the_specs(own, own.blocks[:3] + own.blocks[4:]).stderr
