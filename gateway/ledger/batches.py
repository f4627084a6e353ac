"""What a batch commits to: the root over its entries, the outcome word, and the record of both that the contract keeps.

The contract computes all three from what it executed; this is the same, written independently, from docs/ledger-format.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eth_hash.auto import keccak

from gateway.ledger.issue_parts import ShownIssue
from gateway.values.ids import Hash

ROOT_WIDTH = 16
"""So many children a node has at most."""


def entries_root(entries: Iterable[bytes]) -> Hash:
    """The root over entries without their lengths; of no entries, 32 zero bytes."""
    level = [keccak(entry) for entry in entries]
    if not level:
        return Hash(bytes(32))
    level = _next_level(level)
    while len(level) > 1:
        level = _next_level(level)
    return Hash(level[0])


def root_branch(entries: Sequence[bytes], index: int) -> list[bytes]:
    """What leads from an entry to the root: the other children of each node on the way, from the leaves up, in their order."""
    if not 0 <= index < len(entries):
        raise IndexError(f"no entry {index} among {len(entries)}")
    level = [keccak(entry) for entry in entries]
    branch: list[bytes] = []
    while True:
        first = index - index % ROOT_WIDTH
        branch += level[first:index] + level[index + 1 : first + ROOT_WIDTH]
        if len(level) <= ROOT_WIDTH:
            return branch
        level, index = _next_level(level), index // ROOT_WIDTH


def branch_root(leaf: bytes, index: int, count: int, branch: Sequence[bytes]) -> Hash | None:
    """The root to which a branch leads from entry `index` of `count`, given its leaf; None if the branch is not of that shape."""
    if not 0 <= index < count:
        return None
    node, rest = leaf, list(branch)
    while True:
        place = index % ROOT_WIDTH
        others = min(ROOT_WIDTH, count - index + place) - 1
        if len(rest) < others:
            return None
        node = keccak(b"".join([*rest[:place], node, *rest[place:others]]))
        rest = rest[others:]
        index, count = index // ROOT_WIDTH, -(-count // ROOT_WIDTH)
        if count == 1:
            return None if rest else Hash(node)


def shown_issue(number: int, entries: Sequence[bytes], index: int, refusals: Iterable[tuple[int, bytes]]) -> ShownIssue:
    """What a clawback shows of entry `index` of a recorded batch."""
    return ShownIssue(number, index, len(entries), tuple(refusals), tuple(root_branch(entries, index)), entries[index])


def batch_outcome(entry_count: int, refusals: Iterable[tuple[int, bytes]]) -> bytes:
    """The 32-byte outcome word: entry count, refused count, and the first 24 bytes of the hash of (index, reason selector) pairs."""
    pairs = [index.to_bytes(4) + reason for index, reason in refusals]
    return entry_count.to_bytes(4) + len(pairs).to_bytes(4) + keccak(b"".join(pairs))[:24]


def batch_record(root: bytes, outcome: bytes) -> Hash:
    """The one word that the contract keeps of a batch."""
    return Hash(keccak(root + outcome))


def _next_level(level: Sequence[bytes]) -> list[bytes]:
    return [keccak(b"".join(level[first : first + ROOT_WIDTH])) for first in range(0, len(level), ROOT_WIDTH)]
