"""The chain's headers and seals as a node tells them over JSON-RPC. Each is parsed here and is a claim until the witness has checked it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak

from gateway.foreign.rpc_node import RpcNode
from gateway.values.hex import to_bytes, to_int
from gateway.values.ids import Address, Hash

_HEADERS_AT_ONCE = 200


class BadHeader(Exception):
    """What the node shows is no header; it says nothing about any chain."""


@dataclass(frozen=True, slots=True)
class SealedHeader:
    """A header's RLP and its seal, with the fields that a witness looks at."""

    raw: bytes
    seal: bytes
    hash: Hash
    parent_hash: Hash
    sealer: Address
    number: int
    timestamp: int
    extra_data: bytes


class NodeHeaders:
    """A node by its URL."""

    def __init__(self, rpc_url: str, timeout_seconds: float = 30.0) -> None:
        self._node = RpcNode(rpc_url, timeout_seconds)
        self.shown_url = self._node.shown_url

    def head_number(self) -> int:
        return self._node.read(to_int, self._node.ask([("eth_blockNumber", [])])[0])

    def genesis_configuration(self) -> Any:
        """As JSON; what it says of itself, unchecked."""
        answer = self._node.ask([("splittally_getGenesis", [])])[0]
        return answer.get("config") if isinstance(answer, dict) else None

    def headers(self, first: int, last: int) -> list[SealedHeader]:
        """Some of them from `first` on, at least one."""
        numbers = range(first, min(last, first + _HEADERS_AT_ONCE - 1) + 1)
        methods = "debug_getRawHeader", "splittally_getSeal"
        asked: list[tuple[str, list[Any]]] = [(method, [hex(number)]) for number in numbers for method in methods]
        answers = self._node.ask(asked)
        return [self._node.read(_sealed_header, pair) for pair in zip(answers[::2], answers[1::2], strict=True)]

    def close(self) -> None:
        self._node.close()


def _sealed_header(answer: tuple[Any, Any]) -> SealedHeader:
    raw, seal = to_bytes(answer[0]), to_bytes(answer[1]["signature"])
    try:
        fields = rlp.decode(raw)
        parent, sealer = Hash(fields[0]), Address(fields[2])
        number, timestamp = int.from_bytes(fields[8]), int.from_bytes(fields[11])
        return SealedHeader(raw, seal, Hash(keccak(raw)), parent, sealer, number, timestamp, bytes(fields[12]))
    except (rlp.exceptions.RLPException, ValueError, LookupError, TypeError, RecursionError) as error:
        raise BadHeader("it is no block header") from error
