"""The committed contract artifacts: creation code, and calls, events and errors by name, encoded as their ABI says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_hash.auto import keccak

from gateway.chain.shapes import Log
from gateway.values.hex import hex_text, to_bytes
from gateway.values.ids import Address

FOLDER = Path(__file__).resolve().parents[2] / "contracts" / "artifacts"


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the contract; `values` by parameter name, addresses and bytes as bytes."""

    name: str
    values: dict[str, Any]
    log: Log


@dataclass(frozen=True, slots=True)
class _EventShape:
    name: str
    indexed: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]


class Artifact:
    """One compiled contract."""

    def __init__(self, compiled: Mapping[str, Any]) -> None:
        self.name: str = compiled["contractName"]
        self.storage_layout: Mapping[str, Any] = compiled["storageLayout"]
        self._bytecode = to_bytes(compiled["bytecode"])
        self._deployed = to_bytes(compiled["deployedBytecode"])
        self._immutables = [span for spans in compiled["immutableReferences"].values() for span in spans]
        abi: list[dict[str, Any]] = compiled["abi"]
        self._constructor = next((_types(item["inputs"]) for item in abi if item["type"] == "constructor"), [])
        self._functions = {item["name"]: item for item in abi if item["type"] == "function"}
        self._events = {_topic(item): _event_shape(item) for item in abi if item["type"] == "event"}
        self._errors: dict[bytes, str] = {_topic(item)[:4]: item["name"] for item in abi if item["type"] == "error"}

    def creation(self, *arguments: Any) -> bytes:
        """The data of the transaction that creates the contract."""
        return self._bytecode + encode(self._constructor, arguments)

    def call(self, function: str, *arguments: Any) -> bytes:
        """The data of a call."""
        item = self._functions[function]
        return self.selector(function) + encode(_types(item["inputs"]), arguments)

    def storage_slot(self, variable: str) -> int:
        """Where the contract keeps a state variable."""
        return next(int(item["slot"]) for item in self.storage_layout["storage"] if item["label"] == variable)

    def selector(self, function: str) -> bytes:
        return _topic(self._functions[function])[:4]

    def arguments(self, function: str, data: bytes) -> tuple[Any, ...]:
        """The arguments of call data, as the ABI decodes them."""
        return tuple(decode(_types(self._functions[function]["inputs"]), data[4:]))

    def returned(self, function: str, data: bytes) -> tuple[Any, ...]:
        """What a call returned."""
        return tuple(decode(_types(self._functions[function]["outputs"]), data))

    def event(self, log: Log) -> Event | None:
        """The event in a log; None for one that the contract does not declare."""
        shape = self._events.get(log.topics[0]) if log.topics else None
        if shape is None:
            return None
        values = {name: _value(kind, topic) for (name, kind), topic in zip(shape.indexed, log.topics[1:], strict=True)}
        others = _values([kind for _, kind in shape.others], log.data)
        values.update({name: value for (name, _), value in zip(shape.others, others, strict=True)})
        return Event(shape.name, values, log)

    def error_name(self, revert_data: bytes) -> str:
        """The name of the custom error in revert data, or what there is instead."""
        return self._errors.get(revert_data[:4], hex_text(revert_data[:4]) if revert_data else "no_reason")

    def is_code(self, deployed: bytes) -> bool:
        """Whether this is the contract's code, whatever its immutables."""
        if len(deployed) != len(self._deployed):
            return False
        masked = bytearray(deployed)
        for span in self._immutables:
            masked[span["start"] : span["start"] + span["length"]] = bytes(span["length"])
        return bytes(masked) == self._deployed


@cache
def points_ledger() -> Artifact:
    return _load("PointsLedger")


@cache
def access_manager() -> Artifact:
    return _load("AccessManager")


def _load(name: str) -> Artifact:
    return Artifact(json.loads((FOLDER / f"{name}.json").read_text()))


def _values(kinds: Sequence[str], data: bytes) -> Sequence[Any]:
    """Decoded parameters. Words that stand for themselves are read without eth_abi: every entry leaves a log, and it is slow on them."""
    if len(data) != 32 * len(kinds) or not all(kind == "uint256" for kind in kinds):
        return [_decoded(kind, value) for kind, value in zip(kinds, decode(kinds, data), strict=True)]
    return [_value(kind, data[start : start + 32]) for kind, start in zip(kinds, range(0, len(data), 32), strict=True)]


def _value(kind: str, word: bytes) -> Any:
    if len(word) == 32:
        if kind == "uint256":
            return int.from_bytes(word)
        if kind == "address" and not any(word[:12]):
            return Address(word[12:])
    return _decoded(kind, decode([kind], word)[0])


def _decoded(kind: str, value: Any) -> Any:
    return Address.parse(value) if kind == "address" else value


def _types(parameters: Sequence[Mapping[str, Any]]) -> list[str]:
    return [_type(parameter) for parameter in parameters]


def _type(parameter: Mapping[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_types(parameter['components']))}){kind[len('tuple') :]}"


def _topic(item: Mapping[str, Any]) -> bytes:
    return keccak(f"{item['name']}({','.join(_types(item['inputs']))})".encode())


def _event_shape(item: Mapping[str, Any]) -> _EventShape:
    inputs = [(parameter["name"], _type(parameter), parameter["indexed"]) for parameter in item["inputs"]]
    return _EventShape(
        item["name"],
        tuple((name, kind) for name, kind, indexed in inputs if indexed),
        tuple((name, kind) for name, kind, indexed in inputs if not indexed),
    )
