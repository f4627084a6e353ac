"""Looking up one key under any root, past ones too, and proving what was found."""

from eth.constants import BLANK_ROOT_HASH

from node.chain.trie.nodes import ABSENT, EMBEDDED_BYTES_MAX, Branch, Leaf, Node, encode, nibbles_of
from node.chain.trie.source import NodeSource


def value_at(source: NodeSource, root: bytes, key: bytes) -> bytes:
    """Empty if the key is absent."""
    value, _ = _walk(source, root, key)
    return value


def prove(source: NodeSource, root: bytes, key: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """The value (empty if absent) and the encoded nodes from the root to where the key ends.

    Nodes that stand inside their parent are left out, as geth does.
    """
    value, nodes = _walk(source, root, key)
    encoded = [encode(node) for node in nodes]
    return value, tuple(raw for depth, raw in enumerate(encoded) if depth == 0 or len(raw) > EMBEDDED_BYTES_MAX)


def _walk(source: NodeSource, root: bytes, key: bytes) -> tuple[bytes, list[Node]]:
    """The value and the nodes on the way to it, or to where it would be."""
    visited: list[Node] = []
    if root == BLANK_ROOT_HASH:
        return b"", visited
    path, depth = nibbles_of(key), 0
    node = source.load_hashed(root)
    while True:
        visited.append(node)
        if type(node) is Branch:
            child = node.children[path[depth]]
            depth += 1
        elif type(node) is Leaf:
            return node.value if node.path == path[depth:] else b"", visited
        else:
            span, child = node
            if not path.startswith(span, depth):
                return b"", visited
            depth += len(span)
        if child == ABSENT:
            return b"", visited
        node = source.load(child)
