"""Every refusal has its JSON-RPC code and leaves no trace."""

import json
import socket
from typing import Any

import httpx
import pytest

from node.rpc.server import is_loopback_name
from tests.node.cell_contract import CREATION, word
from tests.node.running_node import RpcFailure, RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
POOR = throwaway_account("poor")


def _refused(node: RunningNode, method: str, *params: Any) -> RpcFailure:
    with pytest.raises(RpcFailure) as refused:
        node.call(method, *params)
    return refused.value


def _send_refused(node: RunningNode, **fields: Any) -> RpcFailure:
    before = node.call("eth_getTransactionCount", OPERATOR.address, "pending")
    refused = _refused(node, "eth_sendRawTransaction", node.signed(OPERATOR, **fields))
    assert node.call("eth_getTransactionCount", OPERATOR.address, "pending") == before
    return refused


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b'{"jsonrpc":"2.0","id":NaN,"method":"eth_chainId"}', -32700),
        (b"[" * 100_000, -32700),
        (b"[" * 90_000, -32700),  # below the recursion limit that the EVM library sets
        (b"[]", -32600),
        (b"5", -32600),
        (b'{"id":1,"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":5}', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":1e999,"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":-1e999,"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[1]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_nothing"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"__class__"}', -32601),
    ],
)
def test_a_malformed_request_has_its_code(node: RunningNode, body: bytes, code: int) -> None:
    assert node.client is not None
    answer = json.loads(node.client.post("/", content=body, headers={"content-type": "application/json"}).text, parse_constant=pytest.fail)
    assert answer["error"]["code"] == code


def test_a_batch_answers_each_request_on_its_own_and_no_notification(node: RunningNode) -> None:
    assert node.client is not None
    chain_id = {"jsonrpc": "2.0", "method": "eth_chainId"}
    answers = node.client.post("/", json=[{**chain_id, "id": "a"}, 7, chain_id, {**chain_id, "id": 2, "method": "x"}]).json()
    assert [(item["id"], item.get("error", {}).get("code")) for item in answers] == [("a", None), (None, -32600), (2, -32601)]
    assert node.client.post("/", json=chain_id).content == b""


def test_a_body_over_the_limit_is_refused(node: RunningNode) -> None:
    assert node.client is not None
    assert node.client.post("/", content=b" " * (5 * 1024 * 1024 + 1), headers={"content-type": "application/json"}).status_code == 413


@pytest.mark.parametrize(
    "begin",
    [
        b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 40_000,
        b"POST / HTTP/1.1\r\nHost: localhost\r\n" + b"a:b\r\n" * 8_000,
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + b"a:b\r\n" * 8_000,
    ],
    ids=["a header", "headers", "trailers"],
)
def test_headers_without_end_are_ended(node: RunningNode, begin: bytes) -> None:
    assert node.client is not None
    address = httpx.URL(node.url)
    with socket.create_connection((address.host, address.port), timeout=10) as endless:
        endless.sendall(begin)
        assert endless.recv(4_096).partition(b"\r\n")[0].split(b" ")[1] in (b"400", b"415")
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            endless.sendall(b"a:b\r\n" * 2_000_000)
    assert node.call("eth_chainId")


@pytest.mark.parametrize("headers", [{"content-type": "text/plain"}, {"content-type": "application/json", "host": "attacker.example"}])
def test_a_request_from_a_foreign_web_page_is_refused(node: RunningNode, headers: dict[str, str]) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'
    assert httpx.post(node.url, content=body, headers=headers).status_code in (403, 415)


@pytest.mark.parametrize("place", ["localhost:80@evil.example", "[::1]:80@evil.example", "[::1]evil", "localhost:1:2", "[localhost]"])
def test_what_is_no_host_is_no_loopback_name(place: str) -> None:
    assert not is_loopback_name(place)


@pytest.mark.parametrize("place", ["localhost", "LocalHost:8545", "127.0.0.1:", "127.9.9.9", "[::1]:8545", "[::1]", "::1"])
def test_loopback_names_may_have_a_port(place: str) -> None:
    assert is_loopback_name(place)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_getBalance", ["0x12", "latest"]),
        ("eth_getBalance", [OPERATOR.address, "newest"]),
        ("eth_getBalance", [OPERATOR.address, "0x00"]),
        ("eth_getBalance", [OPERATOR.address, 0]),
        ("eth_getBalance", [OPERATOR.address, {}]),
        ("eth_getBalance", []),
        ("eth_getTransactionByHash", ["0x12"]),
        ("eth_getBlockByNumber", ["latest", "yes"]),
        ("eth_getStorageAt", [OPERATOR.address, "0x" + "0" * 65, "latest"]),
        ("eth_sendRawTransaction", ["0x0"]),
        ("eth_call", [{"to": "0x12"}, "latest"]),
        ("eth_call", [{"too": OPERATOR.address}, "latest"]),
        ("eth_call", [{"data": "0x01", "input": "0x02"}, "latest"]),
        ("eth_call", [{"gas": -1}, "latest"]),
        ("eth_call", [{"accessList": [{"address": OPERATOR.address, "storageKeys": 5}]}, "latest"]),
        ("eth_call", [{"accessList": [{"address": OPERATOR.address, "storageKeys": "0x"}]}, "latest"]),
        ("eth_getLogs", [{"fromBlock": "0x2", "toBlock": "0x1"}]),
        ("eth_getLogs", [{"blockHash": "0x" + "00" * 32, "fromBlock": "0x1"}]),
        ("eth_getLogs", [{"topics": ["0x01"]}]),
        ("eth_getProof", [OPERATOR.address, "0x0", "latest"]),
        ("eth_feeHistory", ["0x1", "latest", [50, 10]]),
    ],
)
def test_bad_parameters_are_refused(node: RunningNode, method: str, params: list[Any]) -> None:
    assert _refused(node, method, *params).code == -32602


def test_state_above_the_head_or_of_an_unknown_block_is_refused(node: RunningNode) -> None:
    assert _refused(node, "eth_getBalance", OPERATOR.address, "0xffffff").code == -32000
    assert _refused(node, "eth_call", {}, {"blockHash": "0x" + "77" * 32}).code == -32000
    assert "unknown block" in _refused(node, "eth_getLogs", {"blockHash": "0x" + "77" * 32}).message


def test_a_revert_answers_code_3_with_its_data(node: RunningNode, cell: str) -> None:
    for method in ("eth_call", "eth_estimateGas"):
        refused = _refused(node, method, {"to": cell, "data": "0xdeadbeef"}, "latest")
        assert (refused.code, refused.data, refused.message) == (3, "0xdeadbeef", "execution reverted")


def test_running_out_of_gas_and_bad_code_answer_minus_32000(node: RunningNode, cell: str) -> None:
    refused = _refused(node, "eth_call", {"to": cell, "data": word(1), "gas": hex(25_000)}, "latest")
    assert (refused.code, refused.message) == (-32000, "out of gas")
    assert _refused(node, "eth_call", {"data": "0xfe"}, "latest").code == -32000
    assert _refused(node, "eth_call", {"from": POOR.address, "to": cell, "value": "0x1"}, "latest").code == -32000


def test_an_estimate_that_no_gas_allowed_is_enough_for_names_the_allowance(node: RunningNode, cell: str) -> None:
    endless = [{"to": POOR.address, "gas": hex(100_000)}, "latest", {POOR.address: {"code": "0x5b5f56"}}]
    assert node.request("eth_estimateGas", *endless)["error"] == {"code": -32000, "message": "gas required exceeds allowance (100000)"}
    writing = {"to": cell, "data": word(1)}
    for gas in (20_000, 25_000):  # less than any transaction takes, less than this one does
        refused = _refused(node, "eth_estimateGas", {**writing, "gas": hex(gas)}, "latest")
        assert (refused.code, refused.message) == (-32000, f"gas required exceeds allowance ({gas})")
    assert int(node.call("eth_estimateGas", {**writing, "gas": hex(200_000)}, "latest"), 16) < 200_000
    assert _refused(node, "eth_estimateGas", {"data": "0xfe"}, "latest").message == "invalid opcode: INVALID"


def test_a_reverting_transaction_is_sealed_as_failed(node: RunningNode, cell: str) -> None:
    before = node.call("eth_call", {"to": cell}, "latest")
    receipt = node.send(OPERATOR, to=cell, data="0xdeadbeef")
    assert (receipt["status"], receipt["logs"]) == ("0x0", [])
    assert node.call("eth_call", {"to": cell}, "latest") == before


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"nonce": 0}, "nonce too low"),
        ({"nonce": 100_000}, "nonce too high"),
        ({"gas": 2**24 + 1}, "transaction gas limit too high"),
        ({"gas": 20_000}, "intrinsic gas too low"),
        ({"chainId": 1}, "invalid chain id"),
        ({"value": 10**28}, "insufficient funds"),
        ({"maxFeePerGas": 1, "maxPriorityFeePerGas": 1}, "max fee per gas less than block base fee"),
    ],
)
def test_a_transaction_the_pool_refuses_says_why(node: RunningNode, cell: str, fields: dict[str, Any], message: str) -> None:
    refused = _send_refused(node, **{"to": cell, **fields})
    assert refused.code == -32000
    assert message in refused.message


def test_a_sender_without_funds_is_refused(node: RunningNode) -> None:
    assert "insufficient funds" in _refused(node, "eth_sendRawTransaction", node.signed(POOR, to=OPERATOR.address)).message


def test_a_sealed_transaction_sent_again_is_refused_and_keeps_its_receipt(node: RunningNode, cell: str) -> None:
    raw = node.signed(OPERATOR, to=cell, data=word(3))
    receipt = node.receipt(node.call("eth_sendRawTransaction", raw))
    assert "nonce too low" in _refused(node, "eth_sendRawTransaction", raw).message
    assert node.call("eth_getTransactionReceipt", receipt["transactionHash"]) == receipt


def test_a_waiting_transaction_is_known_pending_and_replaced_only_for_more(node: RunningNode) -> None:
    second = throwaway_account("second operator")
    nonce = node.nonce(second)
    waiting = node.signed(second, nonce=nonce + 1, to=OPERATOR.address)  # its predecessor is missing: it waits
    transaction_hash = node.call("eth_sendRawTransaction", waiting)
    assert node.call("eth_getTransactionByHash", transaction_hash)["blockNumber"] is None
    assert node.call("eth_getTransactionReceipt", transaction_hash) is None
    assert "already known" in _refused(node, "eth_sendRawTransaction", waiting).message
    cheaper = node.signed(second, nonce=nonce + 1, to=OPERATOR.address, value=1)
    assert "replacement transaction underpriced" in _refused(node, "eth_sendRawTransaction", cheaper).message
    dearer = node.signed(second, nonce=nonce + 1, to=OPERATOR.address, value=1, maxFeePerGas=200, maxPriorityFeePerGas=2)
    replacement = node.call("eth_sendRawTransaction", dearer)
    node.send(second, nonce=nonce, to=OPERATOR.address)
    assert node.receipt(replacement)["status"] == "0x1"
    assert node.call("eth_getTransactionByHash", transaction_hash) is None


def test_initcode_over_the_limit_is_refused(node: RunningNode) -> None:
    assert "initcode" in _send_refused(node, data=CREATION + bytes(49_152), gas=2**24).message
