"""A stored trie and the changes to it that are not hashed yet. The root is made when someone asks for it."""

from collections.abc import MutableMapping

from eth_typing import Hash32
from trie.exceptions import MissingTrieNode

from node.chain.trie.reading import value_at
from node.chain.trie.source import MissingNode, NodeSource
from node.chain.trie.update import update


class PendingTrie:
    """Keys are hashes, an empty value is an absent key.

    Changes are kept from the stored root on, so a root in between leaves no nodes behind. Raises MissingTrieNode, as
    py-evm expects of a trie.
    """

    def __init__(self, source: NodeSource, root: bytes) -> None:
        self._source = source
        self._stored_root = root
        self._changes: dict[bytes, bytes] = {}
        self._root: bytes | None = root
        self._made: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes:
        value = self._changes.get(key)
        if value is None:
            try:
                value = value_at(self._source, self._stored_root, key)
            except MissingNode as missing:
                raise self._missing(missing, key) from missing
        return value

    def put(self, key: bytes, value: bytes) -> None:
        self._changes[key] = value
        self._root = None

    @property
    def is_changed(self) -> bool:
        return bool(self._changes)

    @property
    def root(self) -> bytes:
        if self._root is None:
            try:
                self._root, self._made = update(self._source, self._stored_root, self._changes)
            except MissingNode as missing:
                raise self._missing(missing, next(iter(self._changes))) from missing
        return self._root

    @root.setter
    def root(self, root: bytes) -> None:
        """Another stored root; what was pending is dropped."""
        if root != self.root:
            self._restart(root)

    def commit_to(self, store: MutableMapping[bytes, bytes]) -> None:
        root = self.root
        for node_hash, raw in self._made.items():
            store[node_hash] = raw
        self._restart(root)

    def _restart(self, root: bytes) -> None:
        self._stored_root = self._root = root
        self._changes, self._made = {}, {}

    def _missing(self, missing: MissingNode, key: bytes) -> MissingTrieNode:
        return MissingTrieNode(Hash32(missing.node_hash), Hash32(self._stored_root), key)
