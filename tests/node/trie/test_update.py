"""Any history of writes and deletions gives the root and the nodes that trie.HexaryTrie gives, and reads back."""

from random import Random

import pytest
import rlp
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from node.chain.errors import StoreFailed
from node.chain.rules import EMPTY_TRIE_ROOT
from node.chain.trie.nodes import Branch, Leaf, decode, encode
from node.chain.trie.ordered import ordered_root
from node.chain.trie.reading import prove, value_at
from node.chain.trie.source import MissingNode, NodeCache, NodeSource
from node.chain.trie.update import update
from tests.depth import from_deep_on

# Keys that share 31 bytes, 30, 16 or none: short leaves stand inside their parents, extensions are split and joined.
PREFIXES = [bytes(31), bytes(30) + b"\x10", bytes(30) + b"\x01", bytes(16) + b"\x07" * 15, b"\xff" * 31]
KEYS = st.one_of(
    st.builds(lambda prefix, last: prefix + bytes([last]), st.sampled_from(PREFIXES), st.integers(0, 255)),
    st.builds(lambda number: Random(number).randbytes(32), st.integers(0, 60)),
)
STORED_VALUES = st.one_of(st.binary(min_size=1, max_size=4), st.binary(min_size=28, max_size=80))
VALUES = st.just(b"") | STORED_VALUES
HISTORIES = st.lists(st.dictionaries(KEYS, VALUES, max_size=24), min_size=1, max_size=7)


def reference_trie(content: dict[bytes, bytes]) -> tuple[bytes, dict[bytes, bytes]]:
    """HexaryTrie's root and exactly the nodes under it."""
    nodes: dict[bytes, bytes] = {}
    trie = HexaryTrie(nodes, prune=True)
    with trie.squash_changes() as changes:
        for key, value in content.items():
            changes[key] = value
    nodes.pop(EMPTY_TRIE_ROOT, None)
    return trie.root_hash, nodes


@settings(max_examples=from_deep_on(400, 100))
@given(HISTORIES, st.integers(1, 40))
def test_a_history_has_the_same_roots_nodes_and_values_as_the_reference_trie(history: list[dict[bytes, bytes]], cached: int) -> None:
    store: dict[bytes, bytes] = {}
    cache, root, content = NodeCache(cached), EMPTY_TRIE_ROOT, dict[bytes, bytes]()
    past: list[tuple[bytes, dict[bytes, bytes]]] = []
    for changes in history:
        earlier = root
        root, made = update(NodeSource(store.get, cache), root, changes)
        content = {key: value for key, value in (content | changes).items() if value}
        expected_root, expected_nodes = reference_trie(content)
        assert root == expected_root
        assert made.items() <= expected_nodes.items(), "a node was made that no one needs"
        assert root != earlier or not made
        store.update(made)
        assert expected_nodes.items() <= store.items()
        past.append((root, content))
    for past_root, past_content in past:
        source = NodeSource(store.get)
        for key in {key for changes in history for key in changes}:
            assert value_at(source, past_root, key) == past_content.get(key, b"")


@settings(max_examples=100)
@given(st.dictionaries(KEYS, STORED_VALUES, min_size=1, max_size=40), st.lists(KEYS, max_size=5))
def test_proofs_are_those_of_the_reference_trie(content: dict[bytes, bytes], others: list[bytes]) -> None:
    root, nodes = reference_trie(content)
    trie = HexaryTrie(nodes, root)
    for key in [*content, *others]:
        value, proof = prove(NodeSource(nodes.get), root, key)
        expected = [rlp.encode(node) for node in trie.get_proof(key)]
        assert value == trie[key]
        assert list(proof) == [raw for depth, raw in enumerate(expected) if depth == 0 or len(raw) >= 32]


def test_an_empty_trie_has_no_proof_and_no_value() -> None:
    assert prove(NodeSource({}.get), EMPTY_TRIE_ROOT, bytes(32)) == (b"", ())


@pytest.mark.parametrize("count", [0, 1, 2, 16, 17, 127, 128, 129, 300])
def test_the_root_over_a_list_is_the_reference_tries(count: int) -> None:
    items = [Random(index).randbytes(1 + index * 7 % 90) for index in range(count)]
    trie = HexaryTrie({})
    for index, item in enumerate(items):
        trie[rlp.encode(index)] = item
    assert ordered_root(items) == trie.root_hash
    assert count < 2 or ordered_root(items[::-1]) != trie.root_hash


def test_nothing_is_made_when_nothing_changes() -> None:
    content = {bytes(31) + bytes([last]): b"value" * 9 for last in range(40)}
    root, nodes = reference_trie(content)
    unchanged = dict(list(content.items())[:5]) | {b"\xee" * 32: b"", bytes(31) + b"\xee": b""}
    assert update(NodeSource(nodes.get), root, unchanged) == (root, {})


def test_deleting_everything_gives_the_empty_root() -> None:
    content = {Random(number).randbytes(32): b"value" * 9 for number in range(40)}
    root, nodes = reference_trie(content)
    assert update(NodeSource(nodes.get), root, dict.fromkeys(content, b"")) == (EMPTY_TRIE_ROOT, {})


def test_a_missing_node_is_named() -> None:
    root, nodes = reference_trie({Random(number).randbytes(32): b"value" * 9 for number in range(40)})
    key = Random(7).randbytes(32)
    _, (*_, leaf) = prove(NodeSource(nodes.get), root, key)
    del nodes[keccak(leaf)]
    with pytest.raises(MissingNode) as missing:
        value_at(NodeSource(nodes.get), root, key)
    assert missing.value.node_hash == keccak(leaf)


def test_a_flipped_bit_in_the_store_is_found_on_read() -> None:
    root, nodes = reference_trie({Random(number).randbytes(32): b"value" * 9 for number in range(40)})
    spoiled = bytearray(nodes[root])
    spoiled[40] ^= 1
    nodes[root] = bytes(spoiled)
    with pytest.raises(StoreFailed, match=root.hex()):
        value_at(NodeSource(nodes.get), root, bytes(32))


@pytest.mark.parametrize(
    "raw", [b"", b"\x80", b"\xc0", b"\xc1\x80", b"\xc2\x20\xc0", b"\xc2\x40\x01", b"\xc3\x20\x01", b"\xd0\x80", b"\xc2\x20\x01\x00"]
)
def test_what_is_not_a_node_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="trie node"):
        decode(raw)


def test_a_node_survives_encoding_and_decoding() -> None:
    for node in (Leaf(b"\x01\x02\x03", b"v" * 300), Leaf(b"", b"\x05"), Branch((b"\xa0" + b"\x01" * 32,) * 16)):
        assert decode(encode(node)) == node
