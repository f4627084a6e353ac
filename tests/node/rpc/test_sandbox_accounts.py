"""Accounts a sandbox node signs for: they sign what the key itself would, and exist nowhere else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from tests.node.running_node import RunningNode, run_node_command, throwaway_account

OPERATOR, STRANGER = throwaway_account("operator"), throwaway_account("stranger")


def _initialized(data: Path, *arguments: str) -> Path:
    assert run_node_command("init", "--data", str(data), "--operator", OPERATOR.address, *arguments).returncode == 0
    (data / "sandbox.keys").write_text(OPERATOR.key.hex() + "\n")
    return data


@pytest.fixture(scope="module")
def wallet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    with RunningNode(_initialized(tmp_path_factory.mktemp("wallet") / "data", "--sandbox")) as running:
        yield running


def test_a_transaction_is_filled_in_signed_and_sealed(wallet: RunningNode) -> None:
    assert wallet.call("eth_accounts") == [OPERATOR.address.lower()]
    sent = wallet.call("eth_sendTransaction", {"from": OPERATOR.address, "to": STRANGER.address, "value": "0x5"})
    assert wallet.receipt(sent)["status"] == "0x1"
    found = wallet.call("eth_getTransactionByHash", sent)
    assert (found["from"], found["gas"], found["maxFeePerGas"]) == (OPERATOR.address.lower(), "0x5208", "0xf")
    assert wallet.call("eth_getBalance", STRANGER.address) == "0x5"


def test_a_signed_transaction_is_the_one_that_would_be_sent(wallet: RunningNode) -> None:
    request = {"from": OPERATOR.address, "to": STRANGER.address, "gas": "0x5208", "gasPrice": "0x64"}
    signed = wallet.call("eth_signTransaction", request)
    assert signed["tx"]["type"] == "0x0"
    assert wallet.call("eth_sendRawTransaction", signed["raw"]) == signed["tx"]["hash"]


def test_an_access_list_is_signed_with_the_rest(wallet: RunningNode) -> None:
    access_list = [{"address": STRANGER.address.lower(), "storageKeys": ["0x" + "01" * 32]}, {"address": OPERATOR.address.lower()}]
    sent = wallet.call("eth_sendTransaction", {"from": OPERATOR.address, "to": STRANGER.address, "accessList": access_list})
    assert wallet.receipt(sent)["status"] == "0x1"
    assert wallet.call("eth_getTransactionByHash", sent)["accessList"] == [access_list[0], {**access_list[1], "storageKeys": []}]


def test_messages_are_signed_as_the_key_itself_signs_them(wallet: RunningNode) -> None:
    signature = wallet.call("eth_sign", OPERATOR.address, "0x1234")
    assert Account.recover_message(encode_defunct(b"\x12\x34"), signature=signature) == OPERATOR.address


@pytest.mark.parametrize("points", [True, "25 points", None, [1]])
def test_typed_data_that_cannot_be_encoded_is_a_bad_parameter(wallet: RunningNode, points: object) -> None:
    types = {"EIP712Domain": [{"name": "name", "type": "string"}], "Order": [{"name": "points", "type": "uint256"}]}
    order = {"types": types, "primaryType": "Order", "domain": {"name": "x"}, "message": {"points": points}}
    for data in (order, {"types": 3}):
        assert wallet.request("eth_signTypedData", OPERATOR.address, data)["error"]["code"] == -32602


def test_nothing_is_signed_for_anyone_else(wallet: RunningNode) -> None:
    for method, *params in (
        ("eth_sendTransaction", {"from": STRANGER.address, "to": OPERATOR.address}),
        ("eth_signTransaction", {"from": STRANGER.address, "to": OPERATOR.address}),
        ("eth_sign", STRANGER.address, "0x"),
    ):
        assert wallet.request(method, *params)["error"] == {"code": -32000, "message": "unknown account"}


def test_a_chain_that_is_no_sandbox_neither_signs_nor_starts_beside_keys(tmp_path: Path) -> None:
    data = _initialized(tmp_path / "data")
    ended = run_node_command("run", "--data", str(data), "--port", "0")
    assert ended.returncode == 1
    assert "only a sandbox chain signs" in ended.stderr
    (data / "sandbox.keys").unlink()
    with RunningNode(data) as running:
        assert running.request("eth_sendTransaction", {})["error"]["code"] == -32601
        assert running.request("evm_setAutomine", False)["error"]["code"] == -32601
