"""The committed artifacts: what the sources compile to, within a chain's limits, with the storage that proofs rely on."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from eth_utils import keccak

from gateway.ledger.entries import Issue
from gateway.ledger.refusals import SELECTORS, RefusalReason
from tests.builders.abi import contract_abi
from tests.builders.issues import BASIS
from tests.builders.points_ledger import PointsLedger, member_named

ROOT = Path(__file__).resolve().parents[2]
GROCER = 1
DEPLOYED = ["PointsLedger", "Governance", "Brands", "Members", "Settlement", "PasskeyVerifier", "Anchors"]


@pytest.mark.nodejs
def test_recompiling_the_sources_gives_the_committed_artifacts() -> None:
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing and os.environ.get("CI") != "true":
        pytest.skip(f"the contracts are not recompiled for want of {' and '.join(missing)}")
    command = [sys.executable, str(ROOT / "scripts" / "compile_contracts.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", DEPLOYED)
def test_a_contract_fits_any_chain_and_names_its_compiler(name: str) -> None:
    artifact = contract_abi(name).artifact
    assert len(artifact["deployedBytecode"]) // 2 - 1 <= 24_576
    assert artifact["compiler"].startswith("0.8.37+")
    assert artifact["settings"]["evmVersion"] == "cancun"


def test_the_source_hashes_are_those_of_the_sources() -> None:
    sources = {source: digest for name in DEPLOYED for source, digest in contract_abi(name).artifact["sources"].items()}
    ours = {source: digest for source, digest in sources.items() if source.startswith("src/")}
    assert ours == {
        f"src/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in (ROOT / "contracts" / "src").glob("*.sol")
    }


def test_no_two_contracts_tell_different_things_by_one_event_name() -> None:
    shapes: dict[str, set[tuple[str, ...]]] = {}
    for name in DEPLOYED:
        for event in (item for item in contract_abi(name).artifact["abi"] if item["type"] == "event"):
            shapes.setdefault(event["name"], set()).add(tuple(parameter["name"] for parameter in event["inputs"]))
    assert {name for name, those in shapes.items() if len(those) > 1} == set()


@pytest.mark.parametrize("source", sorted((ROOT / "contracts" / "src").glob("*.sol")), ids=lambda path: path.stem)
def test_every_error_of_a_contract_is_expected_by_a_test(source: Path) -> None:
    errors = re.findall(r"^    error (\w+)\(", source.read_text(), re.MULTILINE)
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [error for error in errors if f'"{error}"' not in tests and f".{constant(error)}" not in tests] == []


def constant(error: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", error).upper()


def test_the_deployed_code_is_the_artifacts_apart_from_immutables(ledger: PointsLedger) -> None:
    artifact = ledger.abi.artifact
    code = bytearray(ledger.chain.code(ledger.address))
    for places in artifact["immutableReferences"].values():
        for place in places:
            code[place["start"] : place["start"] + place["length"]] = bytes(place["length"])
    assert code.hex() == artifact["deployedBytecode"][2:]


def test_every_refusal_of_the_table_is_an_error_of_the_contract() -> None:
    errors = {item["name"]: selector for selector, item in contract_abi("PointsLedger").errors.items()}
    assert {refusal.value: code for refusal, code in SELECTORS.items()} == {
        refusal.value: errors[refusal.value] for refusal in RefusalReason
    }


def slot_of(ledger: PointsLedger, label: str) -> int:
    return next(int(item["slot"]) for item in ledger.abi.artifact["storageLayout"]["storage"] if item["label"] == label)


def test_balances_and_batches_stand_where_proofs_look_for_them(ledger: PointsLedger) -> None:
    bob = member_named("bob")
    ledger.submit(GROCER, [Issue(bob, 0, 5, BASIS, bytes(32))], number=77)
    row = keccak((GROCER << 32).to_bytes(32) + slot_of(ledger, "balances").to_bytes(32))
    balance = keccak(bytes(12) + bob + row)
    assert ledger.chain.storage(ledger.address, int.from_bytes(balance)) == 5
    brand_row = keccak(GROCER.to_bytes(32) + slot_of(ledger, "batches").to_bytes(32))
    record = int.from_bytes(keccak((77).to_bytes(32) + brand_row))
    assert ledger.chain.storage(ledger.address, record).to_bytes(32) == ledger.view("batch", GROCER, 77) != bytes(32)
