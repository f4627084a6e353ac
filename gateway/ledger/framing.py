"""How entries stand one after another in a batch's calldata."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.ledger.packed_fields import pack_uint

MIN_FRAME_LENGTH = 32


def pack_entries(entries: Iterable[bytes]) -> bytes:
    """The calldata of a batch: each entry after its two-byte length."""
    return b"".join(pack_uint(len(entry), 2) + entry for entry in entries)


def unpack_entries(data: bytes) -> list[bytes]:
    """The entries of a batch in order, as the contract reads them.

    From the first frame that is too short or reaches past the end, all that is left is one fragment: an entry of kind 0.
    """
    entries: list[bytes] = []
    position = 0
    while position < len(data):
        start = position + 2
        end = start + int.from_bytes(data[position:start])
        if end > len(data) or end - position < MIN_FRAME_LENGTH:
            entries.append(b"\0" + data[position:])
            break
        entries.append(data[start:end])
        position = end
    return entries
