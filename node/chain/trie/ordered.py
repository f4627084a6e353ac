"""The root over a list, as in a header's transaction and receipt roots: a trie from RLP(index) to item, built in one pass."""

from collections.abc import Sequence

from eth.constants import BLANK_ROOT_HASH

from node.chain import rlp
from node.chain.trie.source import NodeCache, NodeSource
from node.chain.trie.update import update


def ordered_root(items: Sequence[bytes]) -> bytes:
    nothing_stored = NodeSource(lambda _: None, NodeCache(1))
    root, _ = update(nothing_stored, BLANK_ROOT_HASH, {rlp.encode(index): item for index, item in enumerate(items)})
    return root
