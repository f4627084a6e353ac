"""Decoded nodes by hash: from a bounded cache, else from the store, whose bytes are checked against the hash."""

from collections.abc import Callable

from eth_hash.auto import keccak
from lru import LRU

from node.chain.errors import StoreFailed
from node.chain.trie.nodes import HASHED, HASHED_REFERENCE_BYTES, Node, Reference, decode

CACHED_NODES = 300_000  # some 180 MB when full

NodeReader = Callable[[bytes], bytes | None]


class MissingNode(LookupError):
    """The store does not hold the node of this hash."""

    def __init__(self, node_hash: bytes) -> None:
        super().__init__(node_hash)
        self.node_hash = node_hash


class NodeCache:
    """Nodes never change under their hash, so every state of a chain and every thread may share one cache.

    It answers for nodes that the store may have lost since: whoever checks a store starts with an empty one.
    """

    def __init__(self, nodes_max: int = CACHED_NODES) -> None:
        nodes: LRU[bytes, Node] = LRU(nodes_max)  # each call is one C function under the interpreter lock
        self.get = nodes.get
        self.put = nodes.__setitem__


class NodeSource:
    def __init__(self, read: NodeReader, cache: NodeCache | None = None) -> None:
        self._read = read
        self.cache = cache or NodeCache()

    def load(self, reference: Reference) -> Node:
        """The node that a parent names so. Raises MissingNode, and StoreFailed if its bytes are not those of its hash."""
        if len(reference) == HASHED_REFERENCE_BYTES and reference[0] == HASHED:
            return self.load_hashed(reference[1:])
        return decode(reference)

    def load_hashed(self, node_hash: bytes) -> Node:
        node = self.cache.get(node_hash)
        if node is None:
            raw = self._read(node_hash)
            if raw is None:
                raise MissingNode(node_hash)
            if keccak(raw) != node_hash:
                raise StoreFailed(f"state node 0x{node_hash.hex()} is corrupt")
            node = decode(raw)
            self.cache.put(node_hash, node)
        return node
