"""All changes of a trie in one pass: every changed node is built, encoded and hashed once, and no node that is not kept."""

from collections.abc import Iterator, Mapping

from eth.constants import BLANK_ROOT_HASH
from eth_hash.auto import keccak

from node.chain.trie.nodes import ABSENT, EMBEDDED_BYTES_MAX, Branch, Extension, Leaf, Nibbles, Node, Reference, encode, nibbles_of
from node.chain.trie.source import NodeSource

Change = tuple[Nibbles, bytes]  # whole key, new value; an empty value deletes


def update(source: NodeSource, root: bytes, changes: Mapping[bytes, bytes]) -> tuple[bytes, dict[bytes, bytes]]:
    """The root after the changes and the nodes that are new, by hash. No key may begin another."""
    run = _Update(source)
    before = None if root == BLANK_ROOT_HASH else source.load_hashed(root)
    after = run.change(before, sorted((nibbles_of(key), value) for key, value in changes.items()), 0)
    if after is before:
        return root, {}
    if after is None:
        return BLANK_ROOT_HASH, {}
    return run.keep(encode(after), after), run.made


class _Update:
    """Sub-tries are worked on as nodes; only a node that has found its place is turned into a reference."""

    def __init__(self, source: NodeSource) -> None:
        self._source = source
        self.made: dict[bytes, bytes] = {}

    def keep(self, raw: bytes, node: Node) -> bytes:
        node_hash = keccak(raw)
        self.made[node_hash] = raw
        self._source.cache.put(node_hash, node)
        return node_hash

    def change(self, node: Node | None, changes: list[Change], depth: int) -> Node | None:
        """The sub-trie `depth` nibbles down with changes applied, sorted by key: the same object if none of them matters."""
        if not changes:
            return node
        if node is None:
            return self._build([change for change in changes if change[1]], depth)
        if type(node) is Leaf:
            return self._change_leaf(node, changes, depth)
        if type(node) is Branch:
            return self._change_branch(node, changes, depth)
        assert type(node) is Extension
        return self._change_extension(node, changes, depth)

    def _build(self, changes: list[Change], depth: int) -> Node | None:
        if not changes:
            return None
        key, value = changes[0]
        if len(changes) == 1:
            return Leaf(key[depth:], value)
        fork = depth + _shared(key[depth:], changes[-1][0][depth:])
        nodes = {nibble: self._build(group, fork + 1) for nibble, group in _groups(changes, fork)}
        return self._prefix(key[depth:fork], self._branch([ABSENT] * 16, nodes))

    def _change_leaf(self, leaf: Leaf, changes: list[Change], depth: int) -> Node | None:
        key = changes[0][0][:depth] + leaf.path
        values = {key: leaf.value}
        values.update(changes)
        kept = sorted(change for change in values.items() if change[1])
        return leaf if kept == [(key, leaf.value)] else self._build(kept, depth)

    def _change_branch(self, branch: Branch, changes: list[Change], depth: int) -> Node | None:
        children = branch.children
        changed: dict[int, Node | None] = {}
        for nibble, group in _groups(changes, depth):
            before = None if children[nibble] == ABSENT else self._source.load(children[nibble])
            after = self.change(before, group, depth + 1)
            if after is not before:
                changed[nibble] = after
        if not changed:
            return branch
        kept = [ABSENT if nibble in changed else child for nibble, child in enumerate(children)]
        if not any(changed.values()):  # only deletions can leave fewer than two
            left = [nibble for nibble in range(16) if kept[nibble] != ABSENT]
            if len(left) == 1:
                return self._prefix(bytes(left), self._source.load(kept[left[0]]), kept[left[0]])
        return self._branch_or_less(kept, changed)

    def _change_extension(self, extension: Extension, changes: list[Change], depth: int) -> Node | None:
        path, child = extension
        shared = min(_shared(path, changes[0][0][depth:]), _shared(path, changes[-1][0][depth:]))
        if shared == len(path):
            before = self._source.load(child)
            after = self.change(before, changes, depth + shared)
            return extension if after is before else self._prefix(path, after)
        rest = path[shared + 1 :]
        stem: Node = Extension(rest, child) if rest else self._source.load(child)
        nodes: dict[int, Node | None] = {path[shared]: stem}
        for nibble, group in _groups(changes, depth + shared):
            nodes[nibble] = self.change(nodes.get(nibble), group, depth + shared + 1)
        if nodes[path[shared]] is stem:
            if not any(node for nibble, node in nodes.items() if nibble != path[shared]):
                return extension
            if not rest:  # the stem is stored already
                del nodes[path[shared]]
                kept = [child if nibble == path[shared] else ABSENT for nibble in range(16)]
                return self._prefix(path[:shared], self._branch(kept, nodes))
        return self._prefix(path[:shared], self._branch_or_less([ABSENT] * 16, nodes))

    def _branch_or_less(self, kept: list[Reference], nodes: dict[int, Node | None]) -> Node | None:
        """A branch of stored children and new nodes; what is left of it if that is none or one."""
        alive = [nibble for nibble, node in nodes.items() if node is not None]
        if len(alive) < 2 and kept.count(ABSENT) == 16:
            return self._prefix(bytes(alive), nodes[alive[0]]) if alive else None
        return self._branch(kept, nodes)

    def _branch(self, kept: list[Reference], nodes: Mapping[int, Node | None]) -> Branch:
        children = list(kept)
        for nibble, node in nodes.items():
            if node is not None:
                children[nibble] = self._refer(node)
        return Branch(tuple(children))

    def _prefix(self, path: Nibbles, node: Node | None, reference: Reference | None = None) -> Node | None:
        """The node under a longer path; `reference` if it is stored already."""
        if not path or node is None:
            return node
        if type(node) is Leaf:
            return Leaf(path + node.path, node.value)
        if type(node) is Extension:
            return Extension(path + node.path, node.child)
        return Extension(path, reference or self._refer(node))

    def _refer(self, node: Node) -> Reference:
        raw = encode(node)
        return raw if len(raw) <= EMBEDDED_BYTES_MAX else b"\xa0" + self.keep(raw, node)


def _groups(changes: list[Change], depth: int) -> Iterator[tuple[int, list[Change]]]:
    """Sorted changes by their nibble at `depth`."""
    start, count = 0, len(changes)
    while start < count:
        nibble, end = changes[start][0][depth], start + 1
        while end < count and changes[end][0][depth] == nibble:
            end += 1
        yield nibble, changes[start:end]
        start = end


def _shared(one: Nibbles, other: Nibbles) -> int:
    """How many nibbles both begin with."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
