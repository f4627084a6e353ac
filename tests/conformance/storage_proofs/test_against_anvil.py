"""Storage hashes and proofs equal anvil's, byte for byte, for equal storage: over a thousand slots, overwritten and cleared.

Slots are hashed before they enter the trie, so no two share a path long enough for a node of under 32 bytes: nodes embedded in
their parents do not occur in storage. tests/node/trie has them, with keys of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import rlp
from eth_utils import keccak
from trie import HexaryTrie

from tests.conformance.clients.outside import Endpoint, anvil
from tests.conformance.storage_proofs.keeper import OWNER, RUNTIME, Keeper
from tests.node.proof_walk import proven_slots
from tests.node.running_node import RunningNode

pytestmark = pytest.mark.nodejs
DICE = random.Random(1_186)
SLOTS = [*range(600), *(DICE.getrandbits(256) for _ in range(600))]
WIDTHS = (1, 7, 8, 16, 128, 255, 256)  # bits of a value: leaves of every size, RLP's single bytes among them
ABSENT = [10_000, DICE.getrandbits(256), (1 << 256) - 1]


def _values(slots: list[int]) -> dict[int, int]:
    return {slot: 1 + DICE.getrandbits(DICE.choice(WIDTHS)) % ((1 << 256) - 1) for slot in slots}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with RunningNode(tmp_path_factory.mktemp("ours") / "data", ("--operator", OWNER.address)) as node:
        yield Endpoint("node", node.url)


@pytest.fixture(scope="module")
def theirs() -> Iterator[Endpoint]:
    with anvil() as running:
        yield running


def _canonical_root(storage: dict[int, int]) -> str:
    """By the `trie` library, one slot after another."""
    built = HexaryTrie({})
    for slot, value in storage.items():
        built[keccak(slot.to_bytes(32, "big"))] = rlp.encode(value)
    return "0x" + bytes(built.root_hash).hex()


def _assert_equal(one: Keeper, other: Keeper, slots: list[int]) -> None:
    found, expected = one.proof(slots), other.proof(slots)
    assert one.address == other.address
    for name in ("storageHash", "codeHash", "balance", "nonce"):
        assert found[name] == expected[name], name
    for ours, theirs in zip(found["storageProof"], expected["storageProof"], strict=True):
        assert ours["proof"] == theirs["proof"]
        assert int(ours["value"], 16) == int(theirs["value"], 16) == one.held.get(int(ours["key"], 16), 0)


def test_hash_and_proofs_are_anvils_after_writes_and_overwrites(ours: Endpoint, theirs: Endpoint) -> None:
    pair = [Keeper(endpoint).deploy() for endpoint in (ours, theirs)]
    for values in ({5: 1}, _values(SLOTS), _values(SLOTS[::4])):
        for keeper in pair:
            keeper.store(values)
        _assert_equal(*pair, slots=[*SLOTS[::3], *ABSENT])
    proof = pair[0].proof(SLOTS[:50])
    assert len(pair[0].held) == len(SLOTS) >= 1_000
    assert proof["storageHash"] == _canonical_root(pair[0].held)
    assert proof["codeHash"] == "0x" + keccak(RUNTIME).hex()


def test_after_deletions_the_hash_is_that_of_what_is_left(ours: Endpoint, theirs: Endpoint) -> None:
    """anvil leaves a cleared slot in its trie as a zero: only a contract of it that never held the slot compares."""
    pair = [Keeper(endpoint).deploy() for endpoint in (ours, theirs)]
    for values in (_values(SLOTS), dict.fromkeys(SLOTS[1::3], 0)):
        for keeper in pair:
            keeper.store(values)
    left = {slot: value for slot, value in pair[0].held.items() if value}
    proof = pair[0].proof([*SLOTS[:60], *ABSENT])
    assert proof["storageHash"] == _canonical_root(left)
    assert pair[1].proof([])["storageHash"] == _canonical_root(pair[1].held), "anvil's own: zeros are in it"
    assert pair[1].proof([])["storageHash"] != proof["storageHash"]

    fresh = Keeper(theirs).deploy()
    fresh.store(left)
    expected = fresh.proof([*SLOTS[:60], *ABSENT])
    assert proof["storageHash"] == expected["storageHash"]
    assert [item["proof"] for item in proof["storageProof"]] == [item["proof"] for item in expected["storageProof"]]


def test_a_contract_emptied_again_has_the_hash_and_proofs_of_one_never_written(ours: Endpoint, theirs: Endpoint) -> None:
    """Of an empty trie geth proves absence with no node at all, anvil with the node 0x80."""
    keeper = Keeper(ours).deploy()
    never_written = keeper.proof([1, 2])
    keeper.store({1: 7, 2: 8})
    keeper.store({1: 0, 2: 0})
    found, expected = keeper.proof([1, 2]), Keeper(theirs).deploy().proof([1, 2])
    assert found["storageHash"] == never_written["storageHash"] == expected["storageHash"]
    assert [item["proof"] for item in found["storageProof"]] == [item["proof"] for item in never_written["storageProof"]] == [[], []]
    assert [item["proof"] for item in expected["storageProof"]] == [["0x80"], ["0x80"]]


def test_what_is_proven_holds_under_the_blocks_own_root_and_an_altered_proof_does_not(ours: Endpoint) -> None:
    keeper = Keeper(ours).deploy()
    keeper.store(_values(SLOTS[:100]))
    root = ours.call("eth_getBlockByNumber", "latest", False)["stateRoot"]
    proof = keeper.proof([SLOTS[3], ABSENT[0]])
    assert proven_slots(root, proof) == {SLOTS[3]: keeper.held[SLOTS[3]], ABSENT[0]: 0}
    with pytest.raises(AssertionError):
        proven_slots(root, {**proof, "storageHash": "0x" + "11" * 32})
