#!/usr/bin/env python3
"""Compiles the contracts with the compiler that contracts/package-lock.json pins, and writes or checks the committed artifacts.

Needs Node.js and npm; everything else in the project needs only the artifacts. Standard library alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CONTRACTS = Path(__file__).resolve().parent.parent / "contracts"
ARTIFACTS = CONTRACTS / "artifacts"
LARGEST_CODE = 24_576  # bytes, EIP-170
TARGETS = {
    "PointsLedger": "src/PointsLedger.sol",
    "Governance": "src/Governance.sol",
    "Brands": "src/Brands.sol",
    "Members": "src/Members.sol",
    "Settlement": "src/Settlement.sol",
    "Anchors": "src/Anchors.sol",
    "GrantingMembers": "tests/GrantingMembers.sol",
    "OwnedBrands": "tests/OwnedBrands.sol",
    "OwedPoints": "tests/OwedPoints.sol",
    "PasskeyVerifier": "src/PasskeyVerifier.sol",
    "PlainPoints": "benchmarks/PlainPoints.sol",
}
SETTINGS: dict[str, Any] = {
    "evmVersion": "cancun",
    "viaIR": True,
    "optimizer": {"enabled": True, "runs": 600},
    "metadata": {"bytecodeHash": "none"},
}
OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the committed artifacts instead of writing them")
    options = parser.parse_args(arguments)
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        print(f"Compiling needs {' and '.join(missing)} on the path.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as directory:
        artifacts = compile_contracts(Path(directory))
    return check(artifacts) if options.check else write(artifacts)


def compile_contracts(workspace: Path) -> dict[str, str]:
    """{contract name: artifact text}, compiled in `workspace` with packages installed afresh from the lock file."""
    for name in ("package.json", "package-lock.json", "compile.cjs"):
        shutil.copy(CONTRACTS / name, workspace)
    subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],  # noqa: S607
        cwd=workspace,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    # One request a contract: the compiler numbers what it reads, so that a contract's artifact must not depend on its neighbors.
    return {name: compile_contract(name, path, workspace) for name, path in TARGETS.items()}


def compile_contract(name: str, path: str, workspace: Path) -> str:
    sources = read_sources(path, workspace / "node_modules")
    request = {
        "language": "Solidity",
        "sources": {source: {"content": text} for source, text in sources.items()},
        "settings": {**SETTINGS, "outputSelection": {path: {name: [*OUTPUTS, "storageLayout"]}}},
    }
    done = subprocess.run(
        ["node", "compile.cjs"],  # noqa: S607
        cwd=workspace,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    complaints = [problem["formattedMessage"] for problem in answer["output"].get("errors", [])]
    if complaints:
        raise SystemExit("\n".join(complaints))
    return artifact(name, path, answer, sources)


def read_sources(path: str, packages: Path) -> dict[str, str]:
    """A source and every source it imports, by the name that the compiler sees."""
    sources: dict[str, str] = {}
    waiting = [path]
    while waiting:
        name = waiting.pop()
        if name in sources:
            continue
        folder = packages if name.startswith("@") else CONTRACTS
        sources[name] = (folder / name).read_text()
        waiting += imports(sources[name], name.rpartition("/")[0])
    return dict(sorted(sources.items()))


def imports(text: str, folder: str) -> list[str]:
    """Names of the sources that a source in `folder` imports."""
    found = []
    for line in text.splitlines():
        if not line.startswith("import "):
            continue
        name = line.split('"')[1]
        parts = (f"{folder}/{name}" if name.startswith(".") else name).split("/")
        resolved: list[str] = []
        for part in parts:
            if part == "..":
                resolved.pop()
            elif part != ".":
                resolved.append(part)
        found.append("/".join(resolved))
    return found


def artifact(name: str, path: str, answer: dict[str, Any], sources: dict[str, str]) -> str:
    compiled = answer["output"]["contracts"][path][name]
    deployed = compiled["evm"]["deployedBytecode"]
    size = len(deployed["object"]) // 2
    if size > LARGEST_CODE:
        raise SystemExit(f"{name} has {size} bytes of code; {LARGEST_CODE} is the most a chain accepts.")
    return (
        json.dumps(
            {
                "contractName": name,
                "abi": compiled["abi"],
                "bytecode": "0x" + compiled["evm"]["bytecode"]["object"],
                "deployedBytecode": "0x" + deployed["object"],
                "immutableReferences": deployed["immutableReferences"],
                "storageLayout": without_syntax_ids(compiled["storageLayout"]),
                "compiler": answer["version"],
                "settings": SETTINGS,
                "sources": {source: hashlib.sha256(text.encode()).hexdigest() for source, text in sources.items()},
            },
            indent=1,
        )
        + "\n"
    )


def without_syntax_ids(layout: dict[str, Any]) -> dict[str, Any]:
    """Slots by label; the compiler's own numbering of syntax nodes says nothing about storage."""
    return {
        "storage": [{key: slot[key] for key in ("label", "slot", "offset", "type")} for slot in layout["storage"]],
        "types": layout["types"],
    }


def write(artifacts: dict[str, str]) -> int:
    ARTIFACTS.mkdir(exist_ok=True)
    for name, text in artifacts.items():
        (ARTIFACTS / f"{name}.json").write_text(text)
        print(f"{name}: {(len(json.loads(text)['deployedBytecode']) - 2) // 2} bytes of code")
    return 0


def check(artifacts: dict[str, str]) -> int:
    different = [name for name, text in artifacts.items() if committed(name) != text]
    for name in different:
        print(f"{name}: the committed artifact is not what its sources compile to", file=sys.stderr)
    return 1 if different else 0


def committed(name: str) -> str:
    path = ARTIFACTS / f"{name}.json"
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
