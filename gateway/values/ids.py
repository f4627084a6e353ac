"""Ids that are bytes, each a type of its own: made where text or a row is read, compared and stored as bytes, shown as hex.

A wrong length never becomes an id.
"""

from __future__ import annotations

import hashlib
from typing import ClassVar, NewType, Self

from gateway.values.hex import hex_text, to_bytes

OperationId = NewType("OperationId", str)
"""Names an acknowledged write; made by the gateway."""

LotId = NewType("LotId", int)
"""The ERC-1155 id of a lot: issuing brand << 32 | expiry day."""


class Id(bytes):
    """So many bytes; `str()` gives 0x and hex."""

    __slots__ = ()
    SIZE: ClassVar[int]

    def __new__(cls, data: bytes) -> Self:
        if len(data) != cls.SIZE:
            raise ValueError(f"{cls.__name__} has {cls.SIZE} bytes, not {len(data)}")
        return bytes.__new__(cls, data)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From 0x and hex digits; BadHex for anything else."""
        return cls(to_bytes(text, cls.SIZE))

    def __str__(self) -> str:
        return hex_text(self)

    __repr__ = __str__


class Address(Id):
    """A key's or contract's address."""

    __slots__ = ()
    SIZE = 20


class MemberId(Id):
    """A member's pseudonym, shaped like an address: it commits to the member's first authorizer."""

    __slots__ = ()
    SIZE = 20


class Reference(Id):
    """The keyed hash under which a brand's own id stands on the ledger; used once."""

    __slots__ = ()
    SIZE = 32


class ReservationId(Id):
    """The digest of the consent that made the reservation."""

    __slots__ = ()
    SIZE = 32


class Hash(Id):
    """A block's, transaction's, batch's, code's or content's hash."""

    __slots__ = ()
    SIZE = 32


def sha256(data: bytes) -> Hash:
    return Hash(hashlib.sha256(data).digest())
