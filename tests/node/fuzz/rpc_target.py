"""The RPC: whatever is sent, the answer is JSON-RPC and never an internal error. A real node of its own answers."""

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.node.fuzz.choices import Choices
from tests.node.fuzz.requests import CODE, NAMES, TEXTS, Known, answered, drawn_request
from tests.node.fuzz.target import Check, Target
from tests.node.own_node import OPERATOR, OwnNode, own_node

INTERNAL_ERROR = -32603
DRAWN = 0xF0  # a first byte from here on starts a request drawn from what the methods answer, any other a body
REQUESTS_PER_NODE = 2_000  # then a fresh chain: some requests set its clock or its pace


def seeds() -> list[bytes]:
    with _node() as (node, known):
        methods = sorted(node.dispatcher._methods)
        bodies = [{"jsonrpc": "2.0", "id": at, "method": name, "params": answered(name, known)} for at, name in enumerate(methods)]
    drawn = [bytes([DRAWN, at]) + bytes(range(at, at + 40)) for at in range(2 * len(methods))]
    return [json.dumps(body).encode() for body in (*bodies, bodies[:4])] + drawn


@contextmanager
def checking() -> Iterator[Check]:
    logging.getLogger("node").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "SELFDESTRUCT opcode present")
        checker = _Checker()
        try:
            yield checker.check
        finally:
            checker.close()


class _Checker:
    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self._context = _node()
        self._node, self._known = self._context.__enter__()
        self._methods = sorted(self._node.dispatcher._methods)
        self._left = REQUESTS_PER_NODE

    def close(self) -> None:
        self._context.__exit__(None, None, None)

    def check(self, data: bytes) -> None:
        if not self._left:
            self.close()
            self._open()
        self._left -= 1
        drawn = data and data[0] >= DRAWN
        check_answer(self._node, drawn_request(self._methods, self._known, Choices(data[1:])) if drawn else data)


def check_answer(node: OwnNode, body: bytes) -> None:
    answer = node.dispatcher.respond(body)
    if not answer:
        return  # notifications
    answers = json.loads(answer)
    for item in answers if isinstance(answers, list) else [answers]:
        assert item["jsonrpc"] == "2.0", (body, item)
        assert set(item) in ({"jsonrpc", "id", "result"}, {"jsonrpc", "id", "error"}), (body, item)
        if "error" in item:
            assert item["error"]["code"] != INTERNAL_ERROR, (body, item)
            assert isinstance(item["error"]["message"], str), (body, item)


@contextmanager
def _node() -> Iterator[tuple[OwnNode, Known]]:
    """A sandbox chain of two blocks: a contract, and a transfer to it."""
    key, size = bytes(OPERATOR.key), f"{len(CODE) // 2 - 1:02x}"
    with tempfile.TemporaryDirectory() as folder, own_node(Path(folder) / "data", sandbox=True, sandbox_keys=(key,)) as node:
        created = _seal(node, {"data": f"0x60{size}600c60003960{size}6000f3{CODE[2:]}", "gas": "0x40000"})
        sent = _seal(node, {"to": created["contractAddress"], "gas": "0x40000"})
        yield node, Known(sent["blockHash"], sent["transactionHash"], created["contractAddress"], node.transfer(2))


def _seal(node: OwnNode, fields: dict[str, str]) -> dict[str, str]:
    sent = node.request("eth_sendTransaction", {"from": OPERATOR.address, **fields})
    node.request("evm_mine")
    return dict(node.request("eth_getTransactionReceipt", sent["result"])["result"])


WORDS = tuple(json.dumps(text).encode() for text in (*NAMES, *TEXTS, OPERATOR.address, "jsonrpc", "2.0", "id", "method", "params"))
TARGET = Target(seeds, checking, (*WORDS, b"null", b"true", b"[]", b"{}", b"0x", b"\\u0000", b"1e400", b"-1"))
