"""A contract's ABI as committed in contracts/artifacts: encodes calls, decodes answers, logs and errors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi import decode, encode
from eth_utils import keccak

ARTIFACTS = Path(__file__).resolve().parents[2] / "contracts" / "artifacts"


@dataclass(frozen=True)
class Event:
    name: str
    values: dict[str, Any]


class ContractAbi:
    def __init__(self, artifact: dict[str, Any]) -> None:
        self.artifact = artifact
        self.functions = {item["name"]: item for item in artifact["abi"] if item["type"] == "function"}
        self.errors = {self.selector(item): item for item in artifact["abi"] if item["type"] == "error"}
        self.events = {keccak(_signature(i).encode()): i for i in artifact["abi"] if i["type"] == "event"}
        self.constructor = next((item for item in artifact["abi"] if item["type"] == "constructor"), {"inputs": []})

    @staticmethod
    def selector(item: dict[str, Any]) -> bytes:
        return keccak(_signature(item).encode())[:4]

    def creation(self, *arguments: Any) -> bytes:
        return bytes.fromhex(self.artifact["bytecode"][2:]) + encode(_types(self.constructor["inputs"]), arguments)

    def call(self, name: str, *arguments: Any) -> bytes:
        item = self.functions[name]
        return self.selector(item) + encode(_types(item["inputs"]), arguments)

    def answer(self, name: str, data: bytes) -> Any:
        """The return value, or the tuple of several."""
        values = decode(_types(self.functions[name]["outputs"]), data)
        return values[0] if len(values) == 1 else values

    def error(self, data: bytes) -> tuple[str, tuple[Any, ...]]:
        """(name, arguments) of a custom error."""
        item = self.errors[data[:4]]
        return item["name"], decode(_types(item["inputs"]), data[4:])

    def event(self, topics: list[bytes], data: bytes) -> Event:
        item = self.events[topics[0]]
        indexed = [i for i in item["inputs"] if i["indexed"]]
        plain = [i for i in item["inputs"] if not i["indexed"]]
        values = {i["name"]: decode([_type(i)], topic)[0] for i, topic in zip(indexed, topics[1:], strict=True)}
        values |= zip((i["name"] for i in plain), decode([_type(i) for i in plain], data), strict=True)
        return Event(item["name"], values)


@cache
def contract_abi(name: str) -> ContractAbi:
    return ContractAbi(json.loads((ARTIFACTS / f"{name}.json").read_text()))


def _signature(item: dict[str, Any]) -> str:
    return f"{item['name']}({','.join(_types(item['inputs']))})"


def _types(inputs: list[dict[str, Any]]) -> list[str]:
    return [_type(item) for item in inputs]


def _type(item: dict[str, Any]) -> str:
    if not item["type"].startswith("tuple"):
        return str(item["type"])
    return f"({','.join(_types(item['components']))}){item['type'].removeprefix('tuple')}"
