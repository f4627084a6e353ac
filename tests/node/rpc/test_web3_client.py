"""web3.py, unchanged: deploy governance and the members' register, send, call, read logs."""

import json
from collections.abc import Iterator

import pytest
from web3 import HTTPProvider, Web3
from web3.middleware import SignAndSendRawMiddlewareBuilder

from tests.node.cell_contract import CREATION
from tests.node.running_node import ROOT, RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")


@pytest.fixture
def web3(node: RunningNode) -> Iterator[Web3]:
    client = Web3(HTTPProvider(node.url))
    client.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(OPERATOR), layer=0)
    client.eth.default_account = OPERATOR.address
    yield client
    client.provider._request_session_manager.session_cache.clear()  # type: ignore[attr-defined]


def test_contracts_are_deployed_and_answer(web3: Web3) -> None:
    coalition_id = web3.eth.get_block(0)["extraData"]
    guardian, approver, member = (throwaway_account(name).address for name in ("guardian", "approver", "member"))
    governance = _deploy(web3, "Governance", coalition_id, (True, 0, OPERATOR.address, guardian, [approver], 1))
    verifier = _deploy(web3, "PasskeyVerifier")
    members = _deploy(web3, "Members", governance.address, verifier.address, governance.address, 0)
    assert members.functions.coalitionId().call() == coalition_id
    transaction = members.functions.enroll([(1, bytes.fromhex(member[2:]), bytes(32))]).transact()
    receipt = web3.eth.wait_for_transaction_receipt(transaction, poll_latency=0.01)
    (enrolled,) = members.events.MemberEnrolled().process_receipt(receipt)
    assert (receipt["status"], enrolled["args"]["authorizer"]) == (1, bytes.fromhex(member[2:]))


def test_fees_nonce_and_gas_are_filled_in_and_the_receipt_read_back(web3: Web3) -> None:
    receipt = web3.eth.wait_for_transaction_receipt(web3.eth.send_transaction({"data": CREATION}), poll_latency=0.01)
    address = receipt["contractAddress"]
    sent = web3.eth.send_transaction({"to": address, "data": (5).to_bytes(32, "big")})
    receipt = web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
    assert web3.eth.get_logs({"address": address, "from_block": 0}) == receipt["logs"]
    assert int.from_bytes(web3.eth.call({"to": address}), "big") == 5
    assert web3.eth.get_transaction(sent)["blockHash"] == receipt["blockHash"]
    assert web3.eth.get_storage_at(address, 0)[-1] == 5
    assert web3.eth.get_proof(address, [0])["storageProof"][0]["value"][-1] == 5


def _deploy(web3: Web3, name: str, *arguments: object) -> object:
    artifact = json.loads((ROOT / "contracts" / "artifacts" / f"{name}.json").read_text())
    contract = web3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
    receipt = web3.eth.wait_for_transaction_receipt(contract.constructor(*arguments).transact(), poll_latency=0.01)
    return web3.eth.contract(receipt["contractAddress"], abi=artifact["abi"])
