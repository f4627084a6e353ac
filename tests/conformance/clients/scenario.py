"""What every client must report of the scenario, checked against the node's own plain answers and an independent trie library."""

from __future__ import annotations

import json
from typing import Any

from eth_utils import keccak

from tests.conformance.clients.conftest import OWNER
from tests.conformance.clients.outside import ROOT, Endpoint
from tests.node.proof_walk import proven_slots

ARTIFACT = ROOT / "contracts" / "artifacts" / "PlainPoints.json"
MEMBER = "0x00000000000000000000000000000000000a11ce"
LOT, POINTS, OWNER_SLOT = 7, [125, 75], 3
UNAUTHORIZED_NOBODY = "0x118cdaa7" + "00" * 32  # OwnableUnauthorizedAccount(0)


def check(facts: dict[str, Any], endpoint: Endpoint) -> None:
    _check_deployment(facts, endpoint)
    _check_writes(facts, endpoint)
    _check_logs_and_watches(facts)
    check_proof(facts["proof"], endpoint)
    check_refusals(facts["refusals"], endpoint)


def _check_deployment(facts: dict[str, Any], endpoint: Endpoint) -> None:
    deployment = facts["deployment"]
    receipt = endpoint.call("eth_getTransactionReceipt", deployment["hash"])
    assert facts["chainId"] == int(endpoint.call("eth_chainId"), 16)
    assert deployment["status"] is True
    assert (receipt["status"], receipt["contractAddress"]) == ("0x1", deployment["address"])
    assert int(receipt["blockNumber"], 16) == int(deployment["block"])
    assert deployment["code"] == json.loads(ARTIFACT.read_text())["deployedBytecode"]
    assert facts["owner"] == OWNER.lower()


def _check_writes(facts: dict[str, Any], endpoint: Endpoint) -> None:
    assert [int(balance) for balance in facts["balances"]] == [0, sum(POINTS), 0]  # before, after, and at the deployment's block
    assert len(facts["receipts"]) == len(POINTS)
    for told in facts["receipts"]:
        receipt = endpoint.call("eth_getTransactionReceipt", told["hash"])
        assert told["status"] is True
        assert (told["from"], told["to"]) == (OWNER.lower(), facts["deployment"]["address"])
        assert (told["logs"], int(told["gasUsed"])) == (1, int(receipt["gasUsed"], 16))
        assert int(told["block"]) == int(receipt["blockNumber"], 16)
    if "simulated" in facts:
        assert facts["simulated"] == {"status": True, "logs": 1}


def _check_logs_and_watches(facts: dict[str, Any]) -> None:
    hashes = [receipt["hash"] for receipt in facts["receipts"]]
    expected = [{"member": MEMBER, "lot": LOT, "points": points, "hash": one} for points, one in zip(POINTS, hashes, strict=True)]
    told = [{**log, "lot": int(log["lot"]), "points": int(log["points"])} for log in facts["logs"]]
    assert told == expected
    assert facts["logsOfLastBlock"] == 1
    assert [int(points) for points in facts["watched"]["events"]] == POINTS
    blocks = [int(number) for number in facts["watched"]["blocks"]]
    assert blocks == sorted(set(blocks)), "each block once, in order"
    assert {int(receipt["block"]) for receipt in facts["receipts"]} <= set(blocks)


def check_proof(proof: dict[str, Any], endpoint: Endpoint) -> None:
    number = hex(int(proof["block"]))
    assert proof["stateRoot"] == endpoint.call("eth_getBlockByNumber", number, False)["stateRoot"]
    assert proof["codeHash"] == "0x" + keccak(hexstr=endpoint.call("eth_getCode", proof["address"], number)).hex()
    slot = {**proof["slot"], "value": hex(int(str(proof["slot"]["value"]), 0)), "key": proof["slot"]["key"]}
    whole = {**proof, "storageProof": [slot], "balance": "0x0", "nonce": "0x1"}
    assert proven_slots(proof["stateRoot"], whole) == {OWNER_SLOT: int(OWNER, 16)}
    assert int(slot["value"], 16) == int(OWNER, 16)


def check_refusals(refusals: dict[str, Any], endpoint: Endpoint) -> None:
    """The words and numbers are geth's; anvil has its own."""
    assert (refusals["reverted"]["code"], refusals["reverted"]["data"]) == (3, UNAUTHORIZED_NOBODY)
    assert refusals["named"] == "ERC1155InsufficientBalance"
    messages = {name: refusals[name]["message"].lower() for name in ("tooLow", "noFunds")}
    assert "nonce too low" in messages["tooLow"]
    assert "insufficient funds for gas * price + value" in messages["noFunds"]
    codes = {refusals["unknown"]["code"]}, {refusals["tooLow"]["code"], refusals["noFunds"]["code"]}
    if endpoint.name == "anvil":
        assert codes[0] <= {-32601, -32602}  # the latter over WebSocket
        assert codes[1] == {-32003}
    else:
        assert codes == ({-32601}, {-32000})
        assert refusals["reverted"]["message"] == "execution reverted"
