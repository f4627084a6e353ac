"""eth_getProof at the head and a thousand blocks back, walked by three programs that share nothing with the code that made it."""

import json
import subprocess
from collections.abc import Iterator

import pytest
from trie.exceptions import BadTrieProof

from scripts.verify_receipt import Refused, _storage_root, _stored_word
from tests.conformance.exported_chain import PYTHON, skip_without_the_verifiers_environment
from tests.node.proof_walk import proven_slots
from tests.node.proofs.deep_chain import BLOCKS, OPERATOR, SLOTS, DeepChain, run_deep_chain

NOBODY = "0x" + "ab" * 20
ABSENT = [SLOTS, SLOTS + 1, 2**255, 2**256 - 1]
ROOT_BY_THE_SPECS = """
import json, sys
from ethereum.forks.prague.trie import Trie, root, trie_set
from ethereum_types.bytes import Bytes32
from ethereum_types.numeric import U256
storage = Trie(secured=True, default=U256(0))
for slot, value in json.load(sys.stdin):
    trie_set(storage, Bytes32(slot.to_bytes(32, "big")), U256(value))
print("0x" + root(storage).hex())
"""


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeepChain]:
    deep = run_deep_chain(tmp_path_factory.mktemp("proofs") / "data")
    yield deep
    deep.node.kill()


def _moments(chain: DeepChain) -> list[tuple[int, dict[int, int]]]:
    return [(chain.block_now, chain.now), (chain.block_then, chain.then)]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def test_the_chain_is_as_deep_and_wide_as_it_says(chain: DeepChain) -> None:
    assert chain.block_now - chain.block_then == BLOCKS == 1_000
    assert len(chain.then) == SLOTS
    assert len(chain.cleared) > 100


def test_every_slot_is_proven_to_an_independent_trie_library(chain: DeepChain) -> None:
    slots = [*range(0, SLOTS, 7), *chain.cleared[:100], *ABSENT]
    for number, held in _moments(chain):
        proof = chain.proof(chain.contract, slots, number)
        assert proven_slots(chain.state_root(number), proof) == {slot: held.get(slot, 0) for slot in slots}
        assert [int(item["value"], 16) for item in proof["storageProof"]] == [held.get(slot, 0) for slot in slots]


def test_every_slot_is_proven_to_the_receipt_verifiers_own_walk(chain: DeepChain) -> None:
    slots = [*range(0, SLOTS, 11), *chain.cleared[:100], *ABSENT]
    for number, held in _moments(chain):
        proof = chain.proof(chain.contract, slots, number)
        root = _storage_root(_bytes(chain.state_root(number)), [_bytes(node) for node in proof["accountProof"]], _bytes(chain.contract))
        assert root == _bytes(proof["storageHash"])
        for slot, item in zip(slots, proof["storageProof"], strict=True):
            word = _stored_word(root, slot.to_bytes(32), [_bytes(node) for node in item["proof"]])
            assert int.from_bytes(word) == held.get(slot, 0)


def test_the_execution_specs_find_the_same_storage_hash_from_the_slots_alone(chain: DeepChain) -> None:
    skip_without_the_verifiers_environment(module=False)
    for number, held in _moments(chain):
        command = [str(PYTHON), "-I", "-c", ROOT_BY_THE_SPECS]
        done = subprocess.run(command, input=json.dumps(list(held.items())), capture_output=True, text=True, check=True, timeout=120)
        assert done.stdout.strip() == chain.proof(chain.contract, [], number)["storageHash"]


def test_accounts_that_are_there_and_that_are_not_are_proven(chain: DeepChain) -> None:
    for number, _ in _moments(chain):
        for address in (OPERATOR.address.lower(), NOBODY, "0x" + "00" * 20):
            proof = chain.proof(address, [0, 5], number)
            assert proven_slots(chain.state_root(number), proof) == {0: 0, 5: 0}
            nodes, root = [_bytes(node) for node in proof["accountProof"]], _bytes(chain.state_root(number))
            if address == OPERATOR.address.lower():
                assert proof["nonce"] == chain.node.call("eth_getTransactionCount", address, hex(number)) != "0x0"
                assert _storage_root(root, nodes, _bytes(address)) == _bytes(proof["storageHash"])
            else:
                with pytest.raises(Refused):
                    _storage_root(root, nodes, _bytes(address))


def test_a_proof_of_now_does_not_hold_a_thousand_blocks_ago(chain: DeepChain) -> None:
    slot = chain.cleared[0]
    proof = chain.proof(chain.contract, [slot], chain.block_now)
    with pytest.raises((BadTrieProof, AssertionError)):
        proven_slots(chain.state_root(chain.block_then), proof)
    nodes = [_bytes(node) for node in proof["accountProof"]]
    with pytest.raises(Refused):
        _storage_root(_bytes(chain.state_root(chain.block_then)), nodes, _bytes(chain.contract))


def test_no_node_of_a_proof_can_be_altered_or_left_out(chain: DeepChain) -> None:
    proof = chain.proof(chain.contract, [1], chain.block_then)
    root, slot = _bytes(proof["storageHash"]), (1).to_bytes(32)
    nodes = [_bytes(node) for node in proof["storageProof"][0]["proof"]]
    assert len(nodes) > 3
    for index, node in enumerate(nodes):
        for altered in ([*nodes[:index], node[:-1] + bytes([node[-1] ^ 1]), *nodes[index + 1 :]], nodes[:index] + nodes[index + 1 :]):
            with pytest.raises(Refused):
                _stored_word(root, slot, altered)
