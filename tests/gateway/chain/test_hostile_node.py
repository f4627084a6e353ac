"""Whatever a node answers, callers see a value of the right type, NodeRefused or Unavailable, and one request for each call."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from eth_abi.abi import encode

from gateway.chain.connection import Chain, NodeRefused
from gateway.chain.shapes import block_of, log_of, receipt_of
from gateway.values.errors import Unavailable
from gateway.values.hex import hex_text
from gateway.values.ids import Address, Hash

PLACE = Address(b"\xaa" * 20)
ASKED: dict[str, Callable[[Chain], Any]] = {
    "chain id": Chain.chain_id,
    "head": Chain.head_number,
    "coalition id": Chain.coalition_id,
    "genesis": Chain.genesis_hash,
    "sealer": lambda chain: chain.sealer,
    "block hash": lambda chain: chain.block_hash(1),
    "receipts": lambda chain: chain.receipts([Hash(bytes(32))]),
    "count": lambda chain: chain.transaction_count(PLACE),
    "code": lambda chain: chain.code(PLACE),
    "call": lambda chain: chain.eth_call(PLACE, b"\x01"),
    "batch": lambda chain: chain.call_all([("eth_chainId", ()), ("eth_blockNumber", ())]),
}
NONSENSE = [
    b"",
    b"nothing of the kind",
    b"\xff\xfe",
    b"[" * 100_000,
    b"7",
    b'"text"',
    b"null",
    b"[]",
    b"[7, 7]",
    b'[{"id": 0}, {"id": "0"}]',
    b"{}",
    b'{"jsonrpc": "2.0", "id": 0}',
    b'{"jsonrpc": "2.0", "id": 0, "error": 7}',
    b'{"jsonrpc": "2.0", "id": 0, "error": {"code": "many", "message": "no"}}',
    b'{"jsonrpc": "2.0", "id": 0, "error": {"code": 3, "message": "no", "data": "0xzz"}}',
    b'{"jsonrpc": "2.0", "id": 0, "result": {"hash": "0x1", "coalitionId": 7, "sealer": []}}',
]


@dataclass
class FixedNode:
    """Answers every request with the same bytes; `requests` holds what was asked."""

    answer: bytes = b""
    status: int = 200
    requests: list[bytes] = field(default_factory=list)
    url: str = ""

    def error(self, **error: Any) -> None:
        self.answer = json.dumps({"jsonrpc": "2.0", "id": 0, "error": error}).encode()

    def result(self, result: Any) -> None:
        self.answer = json.dumps({"jsonrpc": "2.0", "id": 0, "result": result}).encode()


@pytest.fixture
def fixed() -> Iterator[FixedNode]:
    node = FixedNode()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            node.requests.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(node.status)
            self.send_header("Content-Length", str(len(node.answer)))
            self.end_headers()
            self.wfile.write(node.answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    node.url = f"http://127.0.0.1:{server.server_port}"
    yield node
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def chain(fixed: FixedNode) -> Iterator[Chain]:
    chain = Chain(fixed.url)
    yield chain
    chain.close()


@pytest.mark.filterwarnings("ignore:Received batch response with missing:RuntimeWarning")
@pytest.mark.parametrize("asked", ASKED)
def test_nonsense_is_unavailable_or_a_refusal(fixed: FixedNode, chain: Chain, asked: str) -> None:
    for fixed.answer in NONSENSE:
        try:
            found = ASKED[asked](chain)
        except (Unavailable, NodeRefused):
            continue
        assert asked in ("batch", "code", "call"), (fixed.answer, found)


@pytest.mark.parametrize("asked", ["chain id", "head", "count"])
@pytest.mark.parametrize("wrong", [None, "", "0x", "0xzz", "-0x1", [], {"a": 1}, 1.5, -1, "twelve"])
def test_what_is_no_number_never_becomes_one(fixed: FixedNode, chain: Chain, asked: str, wrong: Any) -> None:
    fixed.result(wrong)
    with pytest.raises(Unavailable):
        ASKED[asked](chain)
    fixed.result("0x10")
    assert ASKED[asked](chain) == 16


@pytest.mark.parametrize("asked", ASKED)
def test_a_failed_request_is_made_once(fixed: FixedNode, chain: Chain, asked: str) -> None:
    fixed.status = 503
    with pytest.raises(Unavailable, match="does not answer"):
        ASKED[asked](chain)
    assert len(fixed.requests) == 1


def test_a_call_asks_for_nothing_else(fixed: FixedNode, chain: Chain) -> None:
    fixed.result("0x07")
    assert chain.eth_call(PLACE, b"\x01", 5, PLACE) == b"\x07"
    (request,) = map(json.loads, fixed.requests)
    said = {"to": hex_text(PLACE), "from": hex_text(PLACE), "data": "0x01"}
    assert request["method"] == "eth_call"
    assert [{name: value.lower() for name, value in request["params"][0].items()}, request["params"][1]] == [said, "0x5"]


def test_a_proxy_of_the_environment_is_not_used(fixed: FixedNode, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    fixed.result("0x7")
    assert chain.chain_id() == 7


def test_a_custom_error_keeps_its_data(fixed: FixedNode, chain: Chain) -> None:
    fixed.error(code=3, message="execution reverted", data="0x01020304" + "00" * 32)
    with pytest.raises(NodeRefused, match=r"^eth_call: execution reverted \(3\)$") as refused:
        chain.eth_call(PLACE, b"")
    assert refused.value.data == b"\x01\x02\x03\x04" + bytes(32)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            {
                "code": 3,
                "message": "execution reverted: too late",
                "data": hex_text(b"\x08\xc3\x79\xa0" + encode(["string"], ["too late"])),
            },
            "too late",
        ),
        ({"code": 3, "message": "execution reverted", "data": "0x4e487b71" + "11".rjust(64, "0")}, "overflow"),
        ({"code": 3, "message": "execution reverted"}, "execution reverted"),
        ({"code": -32000, "message": "out of gas"}, "out of gas"),
        ({"code": -32601, "message": "no such method"}, "no such method"),
    ],
)
def test_other_failures_say_why(fixed: FixedNode, chain: Chain, error: dict[str, Any], said: str) -> None:
    fixed.error(**error)
    with pytest.raises(NodeRefused, match=said) as refused:
        chain.eth_call(PLACE, b"")
    assert refused.value.code == error["code"]
    assert hex_text(refused.value.data) == error.get("data", "0x")


def test_a_revert_that_names_a_url_sends_nobody_there(fixed: FixedNode, chain: Chain) -> None:
    lookup = encode(["address", "string[]", "bytes", "bytes4", "bytes"], [PLACE, [fixed.url], b"", b"back", b""])
    fixed.error(code=3, message="execution reverted", data=hex_text(b"\x55\x6f\x18\x30" + lookup))
    with pytest.raises(NodeRefused, match="execution reverted"):
        chain.eth_call(PLACE, b"")
    assert len(fixed.requests) == 1


@pytest.mark.parametrize("data", ["0x556f1830" + "11" * 32, "0x4e487b71" + "99".rjust(64, "0")])
def test_a_revert_that_web3_cannot_read_is_the_nodes_fault(fixed: FixedNode, chain: Chain, data: str) -> None:
    fixed.error(code=3, message="execution reverted", data=data)
    with pytest.raises(Unavailable):
        chain.eth_call(PLACE, b"")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_batch_with_answers_too_few_or_too_many_is_unavailable(fixed: FixedNode, chain: Chain, count: int) -> None:
    fixed.answer = json.dumps([{"jsonrpc": "2.0", "id": number, "result": "0x1"} for number in range(count)]).encode()
    with pytest.raises(Unavailable):
        ASKED["batch"](chain)


def test_a_refusal_stands_in_its_place_in_a_batch(fixed: FixedNode, chain: Chain) -> None:
    refused = {"jsonrpc": "2.0", "id": 0, "error": {"code": -32005, "message": "too much"}}
    fixed.answer = json.dumps([{"jsonrpc": "2.0", "id": 1, "result": "0x1"}, refused]).encode()
    first, second = ASKED["batch"](chain)
    assert isinstance(first, NodeRefused)
    assert (first.code, second) == (-32005, "0x1")


def test_a_block_with_long_extra_data_is_read(fixed: FixedNode, chain: Chain) -> None:
    fixed.result({"hash": "0x" + "11" * 32, "extraData": "0x" + "00" * 97})
    assert chain.block_hash(1) == chain.genesis_hash() == Hash(b"\x11" * 32)
    fixed.result(None)
    assert chain.block_hash(1) is None


@pytest.mark.parametrize("parse", [block_of, log_of, receipt_of])
@pytest.mark.parametrize("found", [{}, [], 7, None, {"number": 1}, {"address": "0x"}, {"transactionHash": "0x11"}])
def test_what_is_no_block_log_or_receipt_is_unavailable(parse: Callable[[Any], Any], found: Any) -> None:
    with pytest.raises(Unavailable, match="no block, log or receipt"):
        parse(found)
