"""Committed contracts as a benchmark needs them: creation code and calls, encoded, and where storage stands."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak

ARTIFACTS = Path(__file__).resolve().parents[2] / "contracts" / "artifacts"


def creation(name: str, *arguments: Any) -> bytes:
    artifact = _artifact(name)
    types = [_type(each) for item in artifact["abi"] if item["type"] == "constructor" for each in item["inputs"]]
    return bytes.fromhex(artifact["bytecode"][2:]) + bytes(encode(types, arguments))


def call(name: str, function: str, *arguments: Any) -> bytes:
    item = next(item for item in _artifact(name)["abi"] if item.get("name") == function)
    types = [_type(each) for each in item["inputs"]]
    return bytes(keccak(f"{function}({','.join(types)})".encode())[:4] + encode(types, arguments))


def event(name: str, event_name: str) -> bytes:
    """Its first topic."""
    item = next(item for item in _artifact(name)["abi"] if item["type"] == "event" and item["name"] == event_name)
    return bytes(keccak(f"{event_name}({','.join(_type(each) for each in item['inputs'])})".encode()))


def storage_slot(name: str, variable: str) -> int:
    return next(int(item["slot"]) for item in _artifact(name)["storageLayout"]["storage"] if item["label"] == variable)


def _type(item: dict[str, Any]) -> str:
    if not item["type"].startswith("tuple"):
        return str(item["type"])
    return f"({','.join(_type(each) for each in item['components'])}){item['type'].removeprefix('tuple')}"


@cache
def _artifact(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ARTIFACTS / f"{name}.json").read_text())
    return document
