"""Where an entry stands on the ledger, as one number that sorts: block number, transaction index, entry index.

The widths leave room for 2^33 blocks of 2^14 transactions of 2^16 entries in a signed 64-bit number; gas allows fewer entries than that.
"""

from __future__ import annotations

ENTRY_BITS = 16
TRANSACTION_BITS = 14
BLOCK_SHIFT = ENTRY_BITS + TRANSACTION_BITS


def ledger_position(block_number: int, transaction_index: int = 0, entry_index: int = 0) -> int:
    """The entry's position; without indexes, the first of the block."""
    assert 0 <= transaction_index < 1 << TRANSACTION_BITS, "a block holds fewer transactions"
    assert 0 <= entry_index < 1 << ENTRY_BITS, "a batch holds fewer entries"
    return block_number << BLOCK_SHIFT | transaction_index << ENTRY_BITS | entry_index


def block_number_at(position: int) -> int:
    """The block number of a position."""
    return position >> BLOCK_SHIFT
