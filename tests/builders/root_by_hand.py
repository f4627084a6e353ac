"""The root over a batch's entries once more, top down: what the gateway and the contract build from the leaves up.

Shares nothing with them but the words of docs/ledger-format.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_utils import keccak


def root_by_hand(entries: Sequence[bytes]) -> bytes:
    """The root of entries without their lengths."""
    if not entries:
        return bytes(32)
    height = 1
    while 16**height < len(entries):
        height += 1
    return _node(entries, height)


def _node(entries: Sequence[bytes], height: int) -> bytes:
    """A node `height` levels above the leaves."""
    if height == 0:
        (entry,) = entries
        return keccak(entry)
    below = 16 ** (height - 1)
    return keccak(b"".join(_node(entries[first : first + below], height - 1) for first in range(0, len(entries), below)))
