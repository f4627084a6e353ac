"""The Ethereum project's own test chains as the package `ethereumjs-testing` carries them: Frontier to Tangerine Whistle."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth.vm.forks.frontier import FrontierVM
from eth.vm.forks.homestead import HomesteadVM
from eth.vm.forks.tangerine_whistle import TangerineWhistleVM

from tests.conformance.chains.parts import Forks

FOLDER = Path(__file__).parent / "node_modules" / "ethereumjs-testing" / "tests" / "BlockchainTests"
HOMESTEAD = HomesteadVM.configure(support_dao_fork=False)
TRANSITIONS: Forks = (
    (0, FrontierVM),
    (5, HomesteadVM.configure(support_dao_fork=True, _dao_fork_block_number=8)),
    (10, TangerineWhistleVM.configure(support_dao_fork=True, _dao_fork_block_number=8)),
)
RULES: dict[str, Forks] = {
    "": ((0, FrontierVM),),
    "Homestead": ((0, HOMESTEAD),),
    "EIP150": ((0, TangerineWhistleVM.configure(support_dao_fork=False)),),
    "TestNetwork": TRANSITIONS,
    "RandomTests": ((0, FrontierVM),),
}
# What is wrong with these is their proof of work alone, which nobody checks here.
PROOF_OF_WORK = {"wrongMixHash", "wrongNonce", "reusePreviousBlockAsUncleIgnoringLeadingZerosInMixHash"}


@dataclass(frozen=True)
class PublicChain:
    name: str
    forks: Forks
    genesis: dict[str, str]  # its header
    accounts: dict[str, Any]
    blocks: tuple[tuple[bytes | None, bool], ...]  # raw, and whether the standard takes it
    head: str

    @property
    def valid(self) -> int:
        return sum(good for _, good in self.blocks)


def need_public_chains() -> None:
    if FOLDER.exists():
        return
    if os.environ.get("CI") == "true":
        pytest.fail("scripts/test installs the packages of tests/conformance/chains/package-lock.json")
    pytest.skip("no public chains: needs Node.js and npm")


def files() -> list[str]:
    return sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.json"))


def chains_of(file: str) -> Iterator[PublicChain]:
    folder = file.rpartition("/")[0]
    for name, content in json.loads((FOLDER / file).read_text()).items():
        if name in PROOF_OF_WORK:
            continue
        blocks = tuple((_raw(block["rlp"]), "blockHeader" in block) for block in content["blocks"])
        yield PublicChain(name, RULES[folder], content["genesisBlockHeader"], content["pre"], blocks, content["lastblockhash"])


def _raw(text: str) -> bytes | None:
    """None if it is not even hexadecimal."""
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return None
