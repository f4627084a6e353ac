"""The contracts compiled with all faults planted, as artifacts that tests deploy in place of the committed ones."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.compile_contracts import CONTRACTS, OUTPUTS, SETTINGS, imports
from tests.builders.planted_sources import planted

CONTRACT_NAMES = ("PointsLedger", "PasskeyVerifier", "Brands", "Governance", "Members", "Anchors", "Settlement")  # the slowest first


def compile_planted(directory: Path, names: Sequence[str] = CONTRACT_NAMES) -> None:
    """Writes `directory`/<name>.json; two at a time, each in a process of its own."""
    sources = planted().sources
    with ThreadPoolExecutor(2) as together:
        for name, artifact in zip(names, together.map(lambda name: _compiled(name, sources), names), strict=True):
            (directory / f"{name}.json").write_text(json.dumps(artifact))


def _compiled(name: str, sources: dict[str, str]) -> dict[str, object]:
    path = f"src/{name}.sol"
    needed: dict[str, dict[str, str]] = {}
    waiting = [path]
    while waiting:
        source = waiting.pop()
        if source not in needed:
            text = sources[source] if source in sources else (CONTRACTS / "node_modules" / source).read_text()
            needed[source] = {"content": text}
            waiting += imports(text, source.rpartition("/")[0])
    output = {path: {name: [*OUTPUTS, "storageLayout"]}}
    request = {"language": "Solidity", "sources": needed, "settings": {**SETTINGS, "outputSelection": output}}
    done = subprocess.run(["node", "compile.cjs"], cwd=CONTRACTS, input=json.dumps(request), capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)["output"]
    errors = [problem["formattedMessage"] for problem in answer.get("errors", []) if problem["severity"] == "error"]
    assert not errors, "\n".join(errors)
    compiled = answer["contracts"][path][name]
    deployed = compiled["evm"]["deployedBytecode"]
    return {
        "contractName": name,
        "abi": compiled["abi"],
        "bytecode": "0x" + compiled["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutableReferences": deployed["immutableReferences"],
        "storageLayout": compiled["storageLayout"],
    }
