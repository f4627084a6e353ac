"""The batched trie: any history has the roots of the reference trie, and bytes that are no node raise ValueError alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from trie.hexary import HexaryTrie

from node.chain.rules import EMPTY_TRIE_ROOT
from node.chain.trie.nodes import Branch, Extension, Leaf, decode, encode
from node.chain.trie.reading import value_at
from node.chain.trie.source import NodeCache, NodeSource
from node.chain.trie.update import update
from tests.node.fuzz.choices import Choices
from tests.node.fuzz.target import Check, Target

# Keys that share 31 bytes, 30, 16 or none: short leaves stand inside their parents, extensions are split and joined.
PREFIXES = [bytes(31), bytes(30) + b"\x10", bytes(30) + b"\x01", bytes(16) + b"\x07" * 15, b"\xff" * 31]
CHANGES_MAX = 400
HISTORY = 0x80  # a first byte from here on starts a history, any other a node


def seeds() -> list[bytes]:
    random = Random(1)
    nodes = [
        Leaf(b"\x01\x02\x03", b"v" * 300),
        Leaf(b"", b"\x05"),
        Leaf(b"\x01", b"short"),
        Extension(b"\x02\x03", b"\xa0" + b"\x02" * 32),
        Extension(b"\x02", b"\xc2\x20\x01"),
        Branch((b"\xa0" + b"\x01" * 32,) * 16),
        Branch((b"\x80",) * 14 + (b"\xc2\x20\x01", b"\xa0" + b"\x01" * 32)),
    ]
    histories = [bytes([HISTORY + 8]) + random.randbytes(size) for size in (20, 60, 200, 600)]
    return [b"\0" + encode(node) for node in nodes] + histories


@contextmanager
def checking() -> Iterator[Check]:
    yield check


def check(data: bytes) -> None:
    if data and data[0] >= HISTORY:
        check_history(Choices(data))
    else:
        check_node(data[1:])


def check_node(raw: bytes) -> None:
    try:
        node = decode(raw)
    except ValueError:
        return
    assert decode(encode(node)) == node


def check_history(choices: Choices) -> None:
    cache = NodeCache(1 + choices.number(HISTORY))
    store: dict[bytes, bytes] = {}
    reference = HexaryTrie({})
    root, content, count = EMPTY_TRIE_ROOT, dict[bytes, bytes](), 0
    while not choices.is_done and count < CHANGES_MAX:
        changes = dict(_change(choices) for _ in range(1 + choices.number(24)))
        count += len(changes)
        earlier = root
        root, made = update(NodeSource(store.get, cache), root, changes)
        for key, value in changes.items():
            reference[key] = value
        assert root == reference.root_hash
        assert root != earlier or not made
        store.update(made)
        content |= changes
    for key, value in content.items():
        assert value_at(NodeSource(store.get), root, key) == value


def _change(choices: Choices) -> tuple[bytes, bytes]:
    which = choices.number(8)
    key = PREFIXES[which] + choices.take(1) if which < len(PREFIXES) else choices.take(1) * 32
    size = choices.one_of((0, 0, 1, 2, 4, 28, 31, 32, 33, 80))
    return key, choices.take(1) * size


TARGET = Target(seeds, checking, (b"\xa0", b"\x80", b"\xc0", b"\xf9\x02\x11", b"\xb8", b"\x20", b"\x00"))
