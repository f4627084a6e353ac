"""Bytes read as a run of choices, so that a mutation of the bytes is a small change of what is made from them."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Choices:
    """Zeros once the bytes are used up."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_done(self) -> bool:
        return self._at >= len(self._data)

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken.ljust(size, b"\0")

    def rest(self) -> bytes:
        return self.take(max(0, len(self._data) - self._at))

    def number(self, below: int) -> int:
        return int.from_bytes(self.take(1 if below <= 256 else 2 if below <= 65_536 else 8)) % below

    def one_of(self, items: Sequence[Item]) -> Item:
        return items[self.number(len(items))]
