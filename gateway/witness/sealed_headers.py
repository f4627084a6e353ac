"""The chain's headers and seals as a node tells them over JSON-RPC. Each is parsed here and is a claim until the witness has checked it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak

from gateway.foreign.client import ForeignClient, NoAnswer, NotConnected
from gateway.foreign.reading import read_json
from gateway.values.hex import to_bytes, to_int
from gateway.values.ids import Address, Hash
from gateway.values.printing import printable
from gateway.values.urls import without_secrets

ANSWER_BYTES_MAX = 32 * 2**20
_HEADERS_AT_ONCE = 200


class NodeSilent(Exception):
    """No answer, or none that can be read: worth another try."""


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
        self.shown_url = printable(without_secrets(rpc_url))
        self._rpc_url = rpc_url
        self._client = ForeignClient(seconds=timeout_seconds, bytes_max=ANSWER_BYTES_MAX, addresses=None)

    def head_number(self) -> int:
        number: int = self._read(to_int, self._ask([("eth_blockNumber", [])])[0])
        return number

    def genesis_configuration(self) -> Any:
        """As JSON; what it says of itself, unchecked."""
        answer = self._ask([("splittally_getGenesis", [])])[0]
        return answer.get("config") if isinstance(answer, dict) else None

    def headers(self, first: int, last: int) -> list[SealedHeader]:
        """Some of them from `first` on, at least one."""
        numbers = range(first, min(last, first + _HEADERS_AT_ONCE - 1) + 1)
        asked = [(method, [hex(number)]) for number in numbers for method in ("debug_getRawHeader", "splittally_getSeal")]
        answers = self._ask(asked)
        return [self._read(_sealed_header, pair) for pair in zip(answers[::2], answers[1::2], strict=True)]

    def close(self) -> None:
        self._client.close()

    def _ask(self, calls: list[tuple[str, list[str]]]) -> list[Any]:
        body = [{"jsonrpc": "2.0", "id": place, "method": method, "params": params} for place, (method, params) in enumerate(calls)]
        try:
            content = self._client.ask("POST", self._rpc_url, {"Content-Type": "application/json"}, json.dumps(body).encode()).content
            answers = {answer["id"]: answer for answer in read_json(content)}
            for place, (method, _) in enumerate(calls):
                if "error" in answers[place]:
                    raise NodeSilent(f"{self.shown_url} refuses {method}: {printable(repr(answers[place]['error']), 200)}")
            return [answers[place]["result"] for place in range(len(calls))]
        except (NotConnected, NoAnswer) as error:
            raise NodeSilent(f"{self.shown_url} does not answer ({error}): see that the node runs") from error
        except (ValueError, LookupError, TypeError) as error:
            raise NodeSilent(f"{self.shown_url} does not answer as a node does: {error!r}"[:300]) from error

    def _read(self, parse: Any, answer: Any) -> Any:
        try:
            return parse(answer)
        except BadHeader:
            raise
        except (ValueError, LookupError, TypeError) as error:
            raise NodeSilent(f"{self.shown_url} does not answer as a node does: {error!r}"[:300]) from error


def _sealed_header(answer: tuple[Any, Any]) -> SealedHeader:
    raw, seal = to_bytes(answer[0]), to_bytes(answer[1]["signature"])
    try:
        fields = rlp.decode(raw)
        parent, sealer = Hash(fields[0]), Address(fields[2])
        number, timestamp = int.from_bytes(fields[8]), int.from_bytes(fields[11])
        return SealedHeader(raw, seal, Hash(keccak(raw)), parent, sealer, number, timestamp, bytes(fields[12]))
    except (rlp.exceptions.RLPException, ValueError, LookupError, TypeError, RecursionError) as error:
        raise BadHeader("it is no block header") from error
