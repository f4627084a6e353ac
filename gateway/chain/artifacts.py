"""The committed contract artifacts: creation code, and calls, events and errors by name, encoded by web3 as their ABI says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from eth_abi.exceptions import DecodingError
from eth_typing import ABIEvent, ABIFunction
from eth_utils.abi import (
    collapse_if_tuple,
    event_abi_to_log_topic,
    filter_abi_by_type,
    function_abi_to_4byte_selector,
    get_abi_input_types,
    get_abi_output_types,
)
from web3 import Web3

from gateway.chain.shapes import Log
from gateway.values.errors import Unavailable
from gateway.values.hex import hex_text, to_bytes
from gateway.values.ids import Address

FOLDER = Path(__file__).resolve().parents[2] / "contracts" / "artifacts"
_WEB3 = Web3()  # encodes and decodes; it is never asked for a node


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the contract; `values` by parameter name, addresses and bytes as bytes."""

    name: str
    values: dict[str, Any]
    log: Log


@dataclass(frozen=True, slots=True)
class _FunctionShape:
    selector: bytes
    inputs: Sequence[str]
    outputs: Sequence[str]


@dataclass(frozen=True, slots=True)
class _EventShape:
    name: str
    indexed: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]


class Artifact:
    """One compiled contract; `contract` is web3's view of it, without a node."""

    def __init__(self, compiled: Mapping[str, Any]) -> None:
        self.name: str = compiled["contractName"]
        self.storage_layout: Mapping[str, Any] = compiled["storageLayout"]
        self.contract = _WEB3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
        self._deployed = to_bytes(compiled["deployedBytecode"])
        self._immutables = [span for spans in compiled["immutableReferences"].values() for span in spans]
        abi = self.contract.abi
        self._functions = {item["name"]: _function_shape(item) for item in filter_abi_by_type("function", abi)}
        self._events = {event_abi_to_log_topic(item): _event_shape(item) for item in filter_abi_by_type("event", abi)}
        errors = filter_abi_by_type("error", abi)
        self._errors = {function_abi_to_4byte_selector(cast(ABIFunction, item)): item["name"] for item in errors}

    def creation(self, *arguments: Any) -> bytes:
        """The data of the transaction that creates the contract."""
        return to_bytes(self.contract.constructor(*arguments).data_in_transaction)

    def call(self, function: str, *arguments: Any) -> bytes:
        """The data of a call. By web3's codec: its contract's encode_abi encodes thrice, 30 times as slow for 1,000 entries."""
        shape = self._functions[function]
        return shape.selector + _WEB3.codec.encode(shape.inputs, arguments)

    def storage_slot(self, variable: str) -> int:
        """Where the contract keeps a state variable."""
        return next(int(item["slot"]) for item in self.storage_layout["storage"] if item["label"] == variable)

    def selector(self, function: str) -> bytes:
        return self._functions[function].selector

    def arguments(self, function: str, data: bytes) -> tuple[Any, ...]:
        """The arguments of call data. By web3's codec: its contract's decode_function_input is 15 times as slow."""
        return _decode(self._functions[function].inputs, data[4:])

    def returned(self, function: str, data: bytes) -> tuple[Any, ...]:
        """What a call returned."""
        return _decode(self._functions[function].outputs, data)

    def event(self, log: Log) -> Event | None:
        """The event in a log; None for one that the contract does not declare. web3's process_log is 40 times as slow."""
        shape = self._events.get(log.topics[0]) if log.topics else None
        if shape is None:
            return None
        if len(log.topics) != 1 + len(shape.indexed):
            raise Unavailable(f"The node sent a log of {shape.name} with {len(log.topics)} topics")
        values = {name: _value(kind, topic) for (name, kind), topic in zip(shape.indexed, log.topics[1:], strict=True)}
        others = _values([kind for _, kind in shape.others], log.data)
        values.update({name: value for (name, _), value in zip(shape.others, others, strict=True)})
        return Event(shape.name, values, log)

    def find_error_name(self, revert_data: bytes) -> str | None:
        """The name of the custom error in revert data."""
        return self._errors.get(revert_data[:4])

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
def governance() -> Artifact:
    return _load("Governance")


@cache
def passkey_verifier() -> Artifact:
    return _load("PasskeyVerifier")


@cache
def brands() -> Artifact:
    return _load("Brands")


@cache
def members() -> Artifact:
    return _load("Members")


@cache
def anchors() -> Artifact:
    return _load("Anchors")


DEPLOYED: Mapping[str, Callable[[], Artifact]] = {
    "governance": governance,
    "passkey_verifier": passkey_verifier,
    "brands": brands,
    "members": members,
    "anchors": anchors,
    "points_ledger": points_ledger,
}
"""Every contract of a coalition, in the order of their deployment."""


def error_name(revert_data: bytes) -> str:
    """The name of the contracts' custom error in revert data, or what there is instead."""
    named = (load().find_error_name(revert_data) for load in DEPLOYED.values())
    return next(filter(None, named), hex_text(revert_data[:4]) if revert_data else "no_reason")


def _load(name: str) -> Artifact:
    return Artifact(json.loads((FOLDER / f"{name}.json").read_text()))


def _values(kinds: Sequence[str], data: bytes) -> Sequence[Any]:
    """Decoded parameters. Every entry leaves a log, so plain words are read as they stand: web3's codec is 5 times as slow."""
    if len(data) != 32 * len(kinds) or not all(kind == "uint256" for kind in kinds):
        return [_decoded(kind, value) for kind, value in zip(kinds, _decode(kinds, data), strict=True)]
    return [_value(kind, data[start : start + 32]) for kind, start in zip(kinds, range(0, len(data), 32), strict=True)]


def _value(kind: str, word: bytes) -> Any:
    if len(word) == 32:
        if kind == "uint256":
            return int.from_bytes(word)
        if kind == "address" and not any(word[:12]):
            return Address(word[12:])
    return _decoded(kind, _decode([kind], word)[0])


def _decode(kinds: Sequence[str], data: bytes) -> tuple[Any, ...]:
    try:
        return _WEB3.codec.decode(kinds, data)
    except DecodingError as error:
        raise Unavailable(f"The node sent what breaks the contract's ABI: {error}") from error


def _decoded(kind: str, value: Any) -> Any:
    return Address.parse(value) if kind == "address" else value


def _function_shape(item: ABIFunction) -> _FunctionShape:
    return _FunctionShape(function_abi_to_4byte_selector(item), get_abi_input_types(item), get_abi_output_types(item))


def _event_shape(item: ABIEvent) -> _EventShape:
    inputs = [(parameter["name"], collapse_if_tuple(parameter), parameter["indexed"]) for parameter in item["inputs"]]
    return _EventShape(
        item["name"],
        tuple((name, kind) for name, kind, indexed in inputs if indexed),
        tuple((name, kind) for name, kind, indexed in inputs if not indexed),
    )
