"""The frames of RocksDB's logs (its write-ahead log and its manifest), looked at before RocksDB reads them.

RocksDB 9.8 never returns from a frame of certain kinds that it does not write itself, and passes over zeros as if nothing had been there.
Layout: blocks of 32 KiB; a frame is checksum (4 bytes), length (2, little-endian), kind (1) and data, and stays inside its block.
"""

import mmap
import struct
from pathlib import Path

BLOCK_BYTES = 32_768
HEADER_BYTES = 7
KINDS = frozenset((1, 2, 3, 4))  # whole; first, middle and last part
PREALLOCATED = (0, 0)


def damaged_at(log: Path) -> int | None:
    """The offset of the first frame that was never written so; None if there is none. A torn last frame is no damage."""
    if log.stat().st_size == 0:
        return None
    with log.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for start in range(0, len(content), BLOCK_BYTES):
            at, end = start, start + BLOCK_BYTES
            while at + HEADER_BYTES <= min(end, len(content)):
                length, kind = struct.unpack_from("<HB", content, at + 4)
                if (length, kind) == PREALLOCATED:
                    return at if content[at:].strip(b"\0") else None
                if kind not in KINDS or at + HEADER_BYTES + length > end:
                    return at
                at += HEADER_BYTES + length
    return None
