"""Trie nodes in memory and in RLP.

Keys never begin one another (hashes, or RLP numbers), so a branch holds children alone and its value slot stays empty.
"""

from typing import NamedTuple, final

from node.chain.rlp import list_of, string

Nibbles = bytes  # one byte, 0 to 15, per nibble
Reference = bytes  # how a parent names a child: 0xa0 + keccak, or the child's whole RLP if that is under 32 bytes

ABSENT: Reference = b"\x80"
HASHED = 0xA0
HASHED_REFERENCE_BYTES = 33
EMBEDDED_BYTES_MAX = 31
FULL_BRANCH_PREFIX = b"\xf9\x02\x11"  # sixteen hashed children and an empty value: 529 bytes
FIRST_CHILD, END_OF_CHILDREN = 3, 3 + 16 * HASHED_REFERENCE_BYTES

_TO_NIBBLES = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
_TO_HEX = bytes.maketrans(bytes(range(16)), b"0123456789abcdef")


@final
class Leaf(NamedTuple):
    path: Nibbles
    value: bytes


@final
class Extension(NamedTuple):
    path: Nibbles
    child: Reference


@final
class Branch(NamedTuple):
    children: tuple[Reference, ...]


Node = Leaf | Extension | Branch


def nibbles_of(key: bytes) -> Nibbles:
    return key.hex().encode("ascii").translate(_TO_NIBBLES)


def encode(node: Node) -> bytes:
    if type(node) is Branch:
        return list_of(b"".join(node.children) + ABSENT)
    if type(node) is Leaf:
        return list_of(string(_compact(node.path, 2)) + string(node.value))
    assert type(node) is Extension
    return list_of(string(_compact(node.path, 0)) + node.child)


def decode(raw: bytes) -> Node:
    """Raises ValueError for anything but a node of this kind of trie."""
    if len(raw) == END_OF_CHILDREN + 1 and raw.startswith(FULL_BRANCH_PREFIX):
        return Branch(tuple([raw[at : at + HASHED_REFERENCE_BYTES] for at in range(FIRST_CHILD, END_OF_CHILDREN, HASHED_REFERENCE_BYTES)]))
    items = _items(raw)
    if len(items) == 17 and items[16] == ABSENT:
        return Branch(tuple(items[:16]))
    if len(items) != 2:
        raise ValueError("a trie node has 2 items, or 17 of which the last is empty")
    compact = _content(items[0])
    if not compact or compact[0] >= 0x40:
        raise ValueError("a trie node's path starts with a flag from 0 to 3")
    nibbles = nibbles_of(compact)
    path = nibbles[1:] if nibbles[0] & 1 else nibbles[2:]
    return Leaf(path, _content(items[1])) if nibbles[0] & 2 else Extension(path, items[1])


def _compact(path: Nibbles, flag: int) -> bytes:
    """Hex-prefix form: a flag nibble (2 for a leaf, 1 for an odd length), then the path."""
    head = bytes((flag | 1,)) if len(path) & 1 else bytes((flag, 0))
    return bytes.fromhex((head + path).translate(_TO_HEX).decode("ascii"))


def _items(raw: bytes) -> list[bytes]:
    """The items of an RLP list, each still in RLP."""
    start, end = _span(raw, 0)
    if not raw or raw[0] < 0xC0 or end != len(raw):
        raise ValueError("a trie node is one RLP list")
    items = []
    while start < end:
        _, stop = _span(raw, start)
        items.append(raw[start:stop])
        start = stop
    if start != end:
        raise ValueError("a trie node's last item is cut off")
    return items


def _content(item: bytes) -> bytes:
    start, end = _span(item, 0)
    if item[0] >= 0xC0:
        raise ValueError("a list stands where a trie node holds a byte string")
    return item[start:end]


def _span(raw: bytes, at: int) -> tuple[int, int]:
    """Where the content of the RLP item at `at` begins and ends."""
    first = raw[at] if at < len(raw) else 0
    if first < 0x80:
        return at, at + 1
    offset = 0x80 if first < 0xC0 else 0xC0
    if first - offset < 56:
        return at + 1, at + 1 + first - offset
    start = at + 1 + first - offset - 55
    return start, start + int.from_bytes(raw[at + 1 : start], "big")
