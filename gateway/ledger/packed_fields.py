"""Fields of a packed entry: written to their width or not at all, read from the left as strictly as the contract does."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ledger.lots import Line
from gateway.values.ids import Hash, MemberId, Reference, ReservationId
from gateway.values.points import Points

MAX_LINES = 16


class MalformedEntry(ValueError):
    """The bytes are no whole entry of a kind that the ledger format describes."""


class PackedReader:
    """Takes fields off an entry from the left, after its kind byte."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 1

    def take(self, length: int) -> bytes:
        end = self._position + length
        if end > len(self._data):
            raise MalformedEntry(f"entry ends after {len(self._data)} bytes, inside a field that ends at {end}")
        field = self._data[self._position : end]
        self._position = end
        return field

    def member(self) -> MemberId:
        return MemberId(self.take(20))

    def reference(self) -> Reference:
        return Reference(self.take(32))

    def reservation_id(self) -> ReservationId:
        return ReservationId(self.take(32))

    def points(self) -> Points:
        return Points(self.uint(8))

    def amount(self) -> tuple[MemberId, int, Points]:
        """Member, expiry day and points, with which issues and openings begin."""
        return self.member(), self.uint(4), self.points()

    def word(self) -> Hash:
        return Hash(self.take(32))

    def uint(self, length: int) -> int:
        return int.from_bytes(self.take(length))

    def lines(self) -> tuple[Line, ...]:
        count = self.uint(1)
        if not 1 <= count <= MAX_LINES:
            raise MalformedEntry(f"{count} lines where 1 to {MAX_LINES} may stand")
        lines = tuple(Line(self.uint(4), self.uint(4), self.points()) for _ in range(count))
        if len({line.lot_id for line in lines}) != count:
            raise MalformedEntry("a lot stands twice in one entry")
        return lines

    def finish(self) -> None:
        if self._position != len(self._data):
            raise MalformedEntry(f"{len(self._data) - self._position} bytes left over")


def pack_uint(value: int, length: int) -> bytes:
    if not 0 <= value < 1 << 8 * length:
        raise ValueError(f"{value} does not fit an unsigned field of {length} bytes")
    return value.to_bytes(length)


def pack_fixed(value: bytes, length: int) -> bytes:
    if len(value) != length:
        raise ValueError(f"{len(value)} bytes where {length} are due")
    return value


def pack_lines(lines: Sequence[Line]) -> bytes:
    if not 1 <= len(lines) <= MAX_LINES:
        raise ValueError(f"{len(lines)} lines where 1 to {MAX_LINES} may stand")
    if len({line.lot_id for line in lines}) != len(lines):
        raise ValueError("a lot stands twice in one entry")
    packed = (pack_uint(line.brand_id, 4) + pack_uint(line.expiry_day, 4) + pack_uint(line.points, 8) for line in lines)
    return bytes([len(lines)]) + b"".join(packed)
