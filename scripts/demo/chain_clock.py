"""Moves the sandbox chain's time: the walk's days are the chain's days."""

from __future__ import annotations

import time
from typing import Any

import httpx


class EngineRefused(RuntimeError):
    """The engine answered with a JSON-RPC error."""


class ChainClock:
    """Speaks plain JSON-RPC to the node; repeats itself until the node has done what it was asked."""

    def __init__(self, rpc_url: str, retry_seconds: float = 120) -> None:
        self._http = httpx.Client(timeout=30)
        self._url = rpc_url
        self._retry_seconds = retry_seconds

    def call(self, method: str, *parameters: Any) -> Any:
        deadline = time.monotonic() + self._retry_seconds
        while True:
            try:
                body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
                answer = self._http.post(self._url, json=body).json()
                break
            except (httpx.TransportError, ValueError):
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.1)
        if "error" in answer:
            raise EngineRefused(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def head(self) -> dict[str, Any]:
        """The latest block as the node gives it."""
        block: dict[str, Any] = self.call("eth_getBlockByNumber", "latest", False)
        return block

    def head_timestamp(self) -> int:
        return int(self.head()["timestamp"], 16)

    def advance_to(self, timestamp: int) -> None:
        """Returns once a block at or after `timestamp` is sealed; never moves back."""
        while self.head_timestamp() < timestamp:
            self.call("evm_setNextBlockTimestamp", hex(timestamp))
            self.call("evm_mine")

    def close(self) -> None:
        self._http.close()
