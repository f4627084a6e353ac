"""Calls an Ethereum node over HTTP JSON-RPC: one session kept open, every call with a timeout, every failure a typed one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import requests
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from gateway.chain.shapes import Block, Log, Receipt, block_of, log_of, receipt_of
from gateway.values.errors import Unavailable
from gateway.values.hex import from_int, hex_text, to_bytes, to_int
from gateway.values.ids import Address, Hash

Call = tuple[str, Sequence[Any]]
METHOD_NOT_FOUND = -32601
NO_ROOM_LEFT = (-32002, -32003)  # geth's and our node's: a batch's time, or its bytes, were spent on what stands before


class NodeRefused(Exception):
    """The node answered with a JSON-RPC error. `data` holds revert data where it sent any."""

    def __init__(self, method: str, code: int, message: str, data: bytes) -> None:
        super().__init__(f"{method}: {message} ({code})")
        self.code = code
        self.message = message
        self.data = data


class Chain:
    """A node by its URL. Thread-safe; close it at the end."""

    def __init__(self, rpc_url: str, timeout_seconds: float = 30.0) -> None:
        self.rpc_url = rpc_url
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment has no business between gateway and node
        self._provider = HTTPProvider(rpc_url, {"timeout": timeout_seconds}, session=self._session, exception_retry_configuration=None)
        self._batches = True

    def call(self, method: str, *params: Any) -> Any:
        """The result, or NodeRefused, or Unavailable."""
        return _result(method, self._reach(lambda: self._provider.make_request(RPCEndpoint(method), params)))

    def call_all(self, calls: Sequence[Call]) -> list[Any]:
        """The results of several calls, in as few requests as the node takes; a refused one is a NodeRefused in its place."""
        found: list[Any] = []
        while len(found) < len(calls):
            answers = self._batch(calls[len(found) :])
            done = _done(answers)
            found += answers[:done] if done else answers
        return found

    def chain_id(self) -> int:
        return to_int(self.call("eth_chainId"))

    def head_number(self) -> int:
        return to_int(self.call("eth_blockNumber"))

    def coalition_id(self) -> Hash | None:
        """The id that the chain was made for; None on an engine that knows of no coalitions."""
        try:
            return Hash.parse(self.call("splittally_getGenesis")["coalitionId"])
        except NodeRefused as refusal:
            if refusal.code == METHOD_NOT_FOUND:
                return None
            raise

    def genesis_hash(self) -> Hash:
        return Hash.parse(self.call("eth_getBlockByNumber", "0x0", False)["hash"])

    @cached_property
    def sealer(self) -> Address | None:
        """Whose seal the blocks carry, as the genesis says; None on an engine without seals. Unavailable until the node has said it."""
        try:
            return Address.parse(self.call("splittally_getSeal", "0x0")["sealer"])
        except NodeRefused as refusal:
            if refusal.code == METHOD_NOT_FOUND:
                return None
            raise Unavailable(f"The node does not say who seals: {refusal}") from refusal

    def blocks(self, first: int, last: int) -> list[Block]:
        """The blocks of a range with their transactions."""
        answers = self.call_all([("eth_getBlockByNumber", (from_int(number), True)) for number in range(first, last + 1)])
        return [block_of(_required(answer)) for answer in answers]

    def block_hash(self, number: int) -> Hash | None:
        found = self.call("eth_getBlockByNumber", from_int(number), False)
        return Hash.parse(found["hash"]) if found else None

    def logs(self, address: Address, first: int, last: int) -> list[Log]:
        """Every log of a contract in a range of blocks, in order."""
        span = {"address": hex_text(address), "fromBlock": from_int(first), "toBlock": from_int(last)}
        return [log_of(found) for found in self.call("eth_getLogs", span)]

    def receipts(self, transaction_hashes: Sequence[Hash]) -> list[Receipt | None]:
        """The receipts of transactions; None where there is none yet."""
        answers = self.call_all([("eth_getTransactionReceipt", (hex_text(each),)) for each in transaction_hashes])
        return [receipt_of(_required(answer)) if answer is not None else None for answer in answers]

    def transaction_count(self, address: Address) -> int:
        """The next nonce of an account by the newest block."""
        return to_int(self.call("eth_getTransactionCount", hex_text(address), "latest"))

    def code(self, address: Address) -> bytes:
        return to_bytes(self.call("eth_getCode", hex_text(address), "latest"))

    def eth_call(self, to: Address, data: bytes, block: int | None = None, sender: Address | None = None) -> bytes:
        """What a call returns; NodeRefused with the revert data when it reverts."""
        request = {"to": hex_text(to), "data": hex_text(data), **({"from": hex_text(sender)} if sender else {})}
        return to_bytes(self.call("eth_call", request, "latest" if block is None else from_int(block)))

    def close(self) -> None:
        self._session.close()

    def _batch(self, calls: Sequence[Call]) -> list[Any]:
        if self._batches and len(calls) > 1:
            requested = [(RPCEndpoint(method), list(params)) for method, params in calls]
            answers = self._reach(lambda: self._provider.make_batch_request(requested))
            if isinstance(answers, list):
                return [_result_or_refusal(method, answer) for (method, _), answer in zip(calls, answers, strict=True)]
            self._batches = False
        return [self._one_of_many(method, params) for method, params in calls]

    def _one_of_many(self, method: str, params: Sequence[Any]) -> Any:
        return _result_or_refusal(method, self._reach(lambda: self._provider.make_request(RPCEndpoint(method), params)))

    def _reach(self, request: Any) -> Any:
        try:
            return request()
        except (requests.RequestException, OSError, ValueError) as error:
            raise Unavailable(f"The node at {self.rpc_url} does not answer: {error}") from error


def _result(method: str, answer: Any) -> Any:
    found = _result_or_refusal(method, answer)
    if isinstance(found, NodeRefused):
        raise found
    return found


def _result_or_refusal(method: str, answer: Any) -> Any:
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    if isinstance(error, str):
        return NodeRefused(method, 0, error, b"")
    data = error.get("data")
    raw = to_bytes(data) if isinstance(data, str) and data.startswith("0x") else b""
    return NodeRefused(method, int(error.get("code", 0)), str(error.get("message", "")), raw)


def _done(answers: Sequence[Any]) -> int:
    """How many of a batch's answers stand: without those at its end that it had no room left for."""
    done = len(answers)
    while done and isinstance(answers[done - 1], NodeRefused) and answers[done - 1].code in NO_ROOM_LEFT:
        done -= 1
    return done


def _required(answer: Any) -> Any:
    if isinstance(answer, NodeRefused):
        raise answer
    if answer is None:
        raise Unavailable("The node does not have a block or receipt that it named before")
    return answer
