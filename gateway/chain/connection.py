"""Calls an Ethereum node through web3: one session kept open, every call with a timeout, every failure a typed one.

web3's formatters of blocks, logs and receipts are not used, nor is its batching: docs/decisions/0021 says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import requests
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractLogicError, Web3Exception, Web3RPCError
from web3.types import RPCEndpoint, RPCResponse, TxParams

from gateway.chain.shapes import Receipt, receipt_of
from gateway.foreign.reading import read_json
from gateway.values.errors import Foreseen, Unavailable
from gateway.values.hex import from_int, hex_text, to_bytes
from gateway.values.ids import Address, Hash
from gateway.values.urls import without_secrets

Call = tuple[str, Sequence[Any]]
METHOD_NOT_FOUND = -32601
REVERTED = 3
NO_ROOM_LEFT = (-32002, -32003)  # geth's and our node's: a batch's time, or its bytes, were spent on what stands before
# What an answer of a wrong form makes web3 raise, beside its own errors.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, DecodingError)


class NodeRefused(Foreseen):
    """The node answered with a JSON-RPC error. `data` holds revert data where it sent any."""

    def __init__(self, method: str, code: int, message: str, data: bytes) -> None:
        super().__init__(f"{method}: {message} ({code})")
        self.code = code
        self.message = message
        self.data = data


class Chain:
    """A node by its URL. Thread-safe; close it at the end."""

    def __init__(self, rpc_url: str, timeout_seconds: float = 30.0) -> None:
        self.rpc_url = without_secrets(rpc_url)  # as it may be shown
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment has no business between gateway and node
        self._provider = _Provider(rpc_url, {"timeout": timeout_seconds}, session=self._session, exception_retry_configuration=None)
        self._provider.global_ccip_read_enabled = False  # or a revert could name any URL, and web3 would ask there
        self._web3 = Web3(self._provider, middleware=[])
        self._batches = True

    def call(self, method: str, *params: Any) -> Any:
        """The result as the node sent it, or NodeRefused, or Unavailable."""
        with self._asking(method):
            return self._web3.manager.request_blocking(RPCEndpoint(method), params)

    def call_all(self, calls: Sequence[Call]) -> list[Any]:
        """The results of several calls, in as few requests as the node takes; a refused one is a NodeRefused in its place."""
        found: list[Any] = []
        while len(found) < len(calls):
            answers = self._batch(calls[len(found) :])
            done = _done(answers)
            found += answers[:done] if done else answers
        return found

    def chain_id(self) -> int:
        with self._asking("eth_chainId"):
            return _whole(self._web3.eth.chain_id)

    def head_number(self) -> int:
        with self._asking("eth_blockNumber"):
            return _whole(self._web3.eth.block_number)

    def coalition_id(self) -> Hash | None:
        """The id that the chain was made for; None on an engine that knows of no coalitions."""
        try:
            return self._hash_in(self.call("splittally_getGenesis"), "coalitionId")
        except NodeRefused as refusal:
            if refusal.code == METHOD_NOT_FOUND:
                return None
            raise

    def is_sandbox(self) -> bool | None:
        """Whether the chain was made with a clock that is set at will; None on an engine that knows of no coalitions."""
        try:
            return bool(self.call("splittally_getGenesis")["config"]["sandbox"])
        except NodeRefused as refusal:
            if refusal.code == METHOD_NOT_FOUND:
                return None
            raise
        except (KeyError, TypeError) as error:
            raise Unavailable(
                f"The node at {self.rpc_url} says nothing of its genesis that can be read: is it of another version?"
            ) from error

    def genesis_hash(self) -> Hash:
        return self._hash_in(self.call("eth_getBlockByNumber", "0x0", False), "hash")

    @property
    def sealer(self) -> Address | None:
        """Whose seal new blocks carry; None on an engine without seals."""
        try:
            with self._asking("splittally_getSeal"):
                return Address.parse(self.call("splittally_getSeal", "latest")["sealer"])
        except NodeRefused as refusal:
            if refusal.code == METHOD_NOT_FOUND:
                return None
            raise Unavailable(f"The node does not say who seals: {refusal}") from refusal

    def block_hash(self, number: int) -> Hash | None:
        found = self.call("eth_getBlockByNumber", from_int(number), False)
        return self._hash_in(found, "hash") if found else None

    def receipts(self, transaction_hashes: Sequence[Hash]) -> list[Receipt | None]:
        """The receipts of transactions; None where there is none yet."""
        answers = self.call_all([("eth_getTransactionReceipt", (hex_text(each),)) for each in transaction_hashes])
        return [receipt_of(_required(answer)) if answer is not None else None for answer in answers]

    def transaction_count(self, address: Address) -> int:
        """The next nonce of an account by the newest block."""
        with self._asking("eth_getTransactionCount"):
            return _whole(self._web3.eth.get_transaction_count(to_checksum_address(address), "latest"))

    def code(self, address: Address) -> bytes:
        with self._asking("eth_getCode"):
            return bytes(self._web3.eth.get_code(to_checksum_address(address), "latest"))

    def eth_call(self, to: Address, data: bytes, block: int | None = None, sender: Address | None = None) -> bytes:
        """What a call returns; NodeRefused with the revert data when it reverts."""
        request: TxParams = {"to": to_checksum_address(to), "data": data}
        if sender:
            request["from"] = to_checksum_address(sender)
        with self._asking("eth_call"):
            return bytes(self._web3.eth.call(request, "latest" if block is None else block))

    def close(self) -> None:
        self._session.close()

    def _batch(self, calls: Sequence[Call]) -> list[Any]:
        if self._batches and len(calls) > 1:
            requested = [(RPCEndpoint(method), list(params)) for method, params in calls]
            with self._asking("a batch"):
                answers = self._provider.make_batch_request(requested)
                if isinstance(answers, list):
                    return [_result_or_refusal(method, answer) for (method, _), answer in zip(calls, answers, strict=True)]
            self._batches = False
        return [self._one_of_many(method, params) for method, params in calls]

    def _one_of_many(self, method: str, params: Sequence[Any]) -> Any:
        try:
            return self.call(method, *params)
        except NodeRefused as refused:
            return refused

    def _hash_in(self, found: Any, name: str) -> Hash:
        with self._asking(name):
            return Hash.parse(found[name])

    @contextmanager
    def _asking(self, method: str) -> Iterator[None]:
        """Turns what web3 raises into the two errors that callers know."""
        try:
            try:
                yield
            except ContractLogicError as reverted:
                raise _refusal_of_revert(method, reverted) from reverted
            except Web3RPCError as error:
                raise _refusal(method, (error.rpc_response or {})["error"]) from error
        except (requests.RequestException, OSError) as error:
            raise Unavailable(
                f"The node at {self.rpc_url} does not answer ({_short(error)}): see that it runs and that rpc_url names it"
            ) from error
        except (Web3Exception, *_UNREADABLE) as error:
            raise Unavailable(f"The node at {self.rpc_url} does not answer {method} as a node does: {error}") from error


class _Provider(HTTPProvider):
    @staticmethod
    def decode_rpc_response(raw_response: bytes) -> RPCResponse:
        """Bounded in depth: web3 raises Python's recursion limit so far that a deeply nested answer would end the whole process."""
        return cast(RPCResponse, read_json(raw_response))


def _short(error: Exception) -> str:
    """What is wrong, without the library's own story of how it came to it."""
    reason = getattr(error.args[0], "reason", error) if error.args else error
    return str(reason).rpartition(": ")[2][:120] or type(error).__name__


def _whole(found: Any) -> int:
    """web3 hands on what is no text, whatever it is."""
    if not isinstance(found, int) or found < 0:
        raise TypeError(f"{str(found)[:80]!r} is no whole number")
    return found


def _result_or_refusal(method: str, answer: Any) -> Any:
    error = answer.get("error")
    return answer.get("result") if error is None else _refusal(method, error)


def _refusal(method: str, error: Any) -> NodeRefused:
    if isinstance(error, str):
        return NodeRefused(method, 0, error, b"")
    return NodeRefused(method, int(error.get("code", 0)), str(error.get("message", "")), _revert_data(error.get("data")))


def _refusal_of_revert(method: str, reverted: ContractLogicError) -> NodeRefused:
    """A custom error's message is its data once more, which no one reads."""
    message = "execution reverted" if reverted.message in (None, reverted.data) else str(reverted.message)
    return NodeRefused(method, REVERTED, message, _revert_data(reverted.data))


def _revert_data(data: Any) -> bytes:
    return to_bytes(data) if isinstance(data, str) and data.startswith("0x") else b""


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
