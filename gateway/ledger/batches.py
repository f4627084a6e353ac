"""What a batch commits to: the Merkle root over its entries, and the outcome word that counts and hashes its refusals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eth_hash.auto import keccak

from gateway.values.ids import Hash


def leaf(brand_id: int, number: int, index: int, entry: bytes) -> bytes:
    """The Merkle leaf of an entry (without its length) at its place in a batch."""
    return keccak(keccak(brand_id.to_bytes(4) + number.to_bytes(8) + index.to_bytes(4) + entry))


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root of sorted-pair hashing, level by level, an odd last node moving up unchanged. Of no leaves: 32 zero bytes."""
    if not leaves:
        return bytes(32)
    level = list(leaves)
    while len(level) > 1:
        level = _next_level(level)
    return level[0]


def batch_root(brand_id: int, number: int, entries: Iterable[bytes]) -> Hash:
    """The root that a batch of these entries must be signed with."""
    return Hash(merkle_root([leaf(brand_id, number, index, entry) for index, entry in enumerate(entries)]))


def merkle_branch(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The siblings from leaf to root; OpenZeppelin's MerkleProof.verify accepts them."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} among {len(leaves)}")
    branch: list[bytes] = []
    level = list(leaves)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            branch.append(level[sibling])
        level = _next_level(level)
        index //= 2
    return branch


def fold_branch(leaf_hash: bytes, branch: Iterable[bytes]) -> bytes:
    """The root that a leaf and its branch lead to."""
    node = leaf_hash
    for sibling in branch:
        node = _parent(node, sibling)
    return node


def batch_outcome(entry_count: int, refusals: Iterable[tuple[int, bytes]]) -> bytes:
    """The 32-byte outcome word: entry count, refused count, and the first 24 bytes of the hash of (index, reason selector) pairs."""
    pairs = [index.to_bytes(4) + reason for index, reason in refusals]
    return entry_count.to_bytes(4) + len(pairs).to_bytes(4) + keccak(b"".join(pairs))[:24]


def _next_level(level: Sequence[bytes]) -> list[bytes]:
    parents = [_parent(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return [*parents, level[-1]] if len(level) % 2 else parents


def _parent(one: bytes, other: bytes) -> bytes:
    return keccak(one + other if one < other else other + one)
