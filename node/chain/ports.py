"""What the chain needs from a disk, and nothing more."""

from collections.abc import Mapping
from enum import Enum
from typing import Protocol


class Table(Enum):
    STATE = b"state"  # keccak → trie node or contract code; never deleted: every past state stays readable
    HEADERS = b"headers"  # block number (8 bytes) → RLP header
    BODIES = b"bodies"  # block number → RLP list of encoded transactions
    RECEIPTS = b"receipts"  # block number → RLP list of (encoded receipt, sender, created contract)
    SEALS = b"seals"  # block number → 65-byte signature, and a handover behind it where there is one
    HASHES = b"hashes"  # block hash → block number
    TRANSACTIONS = b"transactions"  # transaction hash → block number (8) and index (4)
    META = b"meta"  # head, genesis, clock, handovers


Writes = Mapping[Table, Mapping[bytes, bytes]]


class BlockStore(Protocol):
    """A key-value store whose `commit` is all or nothing, and on disk when it returns."""

    def get(self, table: Table, key: bytes) -> bytes | None: ...

    def commit(self, writes: Writes) -> None:
        """Raises StoreFailed, and then nothing was written."""
        ...

    def close(self) -> None: ...
