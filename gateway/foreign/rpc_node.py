"""A node that is not ours, asked over JSON-RPC within bounds. What it answers is a claim until somebody has checked it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from gateway.foreign.client import ForeignClient, NoAnswer, NotConnected
from gateway.foreign.reading import read_json
from gateway.values.printing import printable
from gateway.values.urls import without_secrets

ANSWER_BYTES_MAX = 32 * 2**20
_Read = TypeVar("_Read")


class NodeSilent(Exception):
    """No answer, or none that can be read: worth another try."""


class RpcNode:
    """A node by its URL."""

    def __init__(self, rpc_url: str, timeout_seconds: float = 30.0) -> None:
        self.shown_url = printable(without_secrets(rpc_url))
        self._rpc_url = rpc_url
        self._client = ForeignClient(seconds=timeout_seconds, bytes_max=ANSWER_BYTES_MAX, addresses=None)

    def ask(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """The result of each, in one question. Raises NodeSilent."""
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
            raise self._unreadable(error) from error

    def read(self, parse: Callable[[Any], _Read], answer: Any) -> _Read:
        """What `parse` makes of a result. Raises NodeSilent where it cannot."""
        try:
            return parse(answer)
        except (ValueError, LookupError, TypeError) as error:
            raise self._unreadable(error) from error

    def close(self) -> None:
        self._client.close()

    def _unreadable(self, error: Exception) -> NodeSilent:
        return NodeSilent(f"{self.shown_url} does not answer as a node does: {error!r}"[:300])
