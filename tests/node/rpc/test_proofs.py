"""eth_getProof, walked by a library that knows only the state root."""

import pytest
from trie.exceptions import BadTrieProof

from tests.node.cell_contract import CREATION, word
from tests.node.proof_walk import proven_slots
from tests.node.running_node import RpcFailure, RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")


def test_every_past_value_of_a_slot_is_proven_at_its_block(node: RunningNode, cell: str) -> None:
    written = {}
    for value in (7, 2**255, 0, 9):
        receipt = node.send(OPERATOR, to=cell, data=word(value))
        written[receipt["blockNumber"]] = value
    for number, value in written.items():
        block = node.call("eth_getBlockByNumber", number, False)
        proof = node.call("eth_getProof", cell, ["0x0", word(1)], number)
        assert proven_slots(block["stateRoot"], proof) == {0: value, 1: 0}
        assert int(proof["storageProof"][0]["value"], 16) == value
        assert proof["storageProof"][0]["key"] == "0x0"
        assert proof["storageProof"][1]["key"] == word(1)


def test_absence_is_proven(node: RunningNode) -> None:
    block = node.call("eth_getBlockByNumber", "latest", False)
    proof = node.call("eth_getProof", "0x" + "ab" * 20, ["0x5"], block["number"])
    assert proven_slots(block["stateRoot"], proof) == {5: 0}
    assert proof["storageProof"] == [{"key": "0x5", "value": "0x0", "proof": []}]


def test_a_proof_of_another_block_does_not_hold(node: RunningNode, cell: str) -> None:
    receipt = node.send(OPERATOR, to=cell, data=word(77))
    before = node.call("eth_getBlockByNumber", hex(int(receipt["blockNumber"], 16) - 1), False)
    proof = node.call("eth_getProof", cell, ["0x0"], receipt["blockNumber"])
    with pytest.raises((BadTrieProof, AssertionError)):
        proven_slots(before["stateRoot"], proof)


def test_many_contracts_make_deep_proofs_that_still_hold(node: RunningNode) -> None:
    created = [node.send(OPERATOR, data=CREATION)["contractAddress"] for _ in range(20)]
    block = node.call("eth_getBlockByNumber", "latest", False)
    for address in created:
        proof = node.call("eth_getProof", address, ["0x0"], block["number"])
        assert len(proof["accountProof"]) > 1
        proven_slots(block["stateRoot"], proof)


def test_more_keys_than_the_limit_are_refused(node: RunningNode, cell: str) -> None:
    with pytest.raises(RpcFailure, match="too many storage keys"):
        node.call("eth_getProof", cell, ["0x0"] * 1_025, "latest")
