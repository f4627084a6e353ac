"""RLP: plain items are encoded and decoded here, since the rlp library looks at each several times over; their shapes are the library's.

What is decoded comes from anyone, so its lists are nested only so deep: the library would follow them to the end of the stack.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import rlp  # type: ignore[import-untyped]

RlpError: type[Exception] = rlp.exceptions.RLPException

T = TypeVar("T")
LISTS_DEEP_MAX = 16  # a block, receipt or transaction has at most four

_ONE_BYTE = [bytes((value,)) for value in range(256)]


def encode(item: object) -> bytes:
    """Byte strings, whole numbers, sequences of these, and what brings its own form, such as a header."""
    kind = type(item)
    if kind is bytes:
        return string(item)  # type: ignore[arg-type]
    if kind is list or kind is tuple:
        return list_of(b"".join([encode(each) for each in item]))  # type: ignore[attr-defined]
    if kind is int:
        return number(item)  # type: ignore[arg-type]
    return bytes(rlp.encode(item))


def string(content: bytes) -> bytes:
    if len(content) == 1 and content[0] < 0x80:
        return content
    return _header(0x80, len(content)) + content


def list_of(content: bytes) -> bytes:
    """`content` is its items' RLP, joined."""
    return _header(0xC0, len(content)) + content


def number(value: int) -> bytes:
    if 0 < value < 0x80:
        return _ONE_BYTE[value]
    return string(value.to_bytes((value.bit_length() + 7) // 8, "big"))  # a negative one raises OverflowError


def _header(offset: int, length: int) -> bytes:
    if length < 56:
        return _ONE_BYTE[offset + length]
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return _ONE_BYTE[offset + 55 + len(size)] + size


def decode(data: bytes) -> Any:
    """Nested lists of bytes. Raises RlpError for anything but the canonical form of one item."""
    items = _items(data, 0, len(data), LISTS_DEEP_MAX)
    if len(items) != 1:
        raise _refusal("it holds more or less than one item", data)
    return items[0]


def decode_as(data: bytes, shape: Callable[..., T]) -> T:
    """`shape`: one of the rlp library's. Raises RlpError."""
    decoded: T = shape.deserialize(decode(data))  # type: ignore[attr-defined]
    if hasattr(decoded, "_cached_rlp"):
        decoded._cached_rlp = data  # canonical, so encoding it again gives this
    return decoded


def _items(data: bytes, place: int, end: int, levels: int) -> list[Any]:
    """What stands from `place` to `end`, which is not beyond the data."""
    items: list[Any] = []
    while place < end:
        first = data[place]
        if first < 0x80:
            items.append(_ONE_BYTE[first])
            place += 1
            continue
        start, stop = (place + 1, place + 1 + (first & 0x3F)) if first & 0x3F < 56 else _long(data, place)
        if stop > end:
            break
        if first < 0xC0:
            item = data[start:stop]
            if first == 0x81 and item < b"\x80":
                raise _refusal("a single byte has a prefix", data)
            items.append(item)
        elif levels:
            items.append(_items(data, start, stop, levels - 1))
        else:
            raise _refusal(f"its lists are nested more than {LISTS_DEEP_MAX} deep", data)
        place = stop
    if place != end:
        raise _refusal("an item ends beyond what holds it", data)
    return items


def _long(data: bytes, place: int) -> tuple[int, int]:
    """Where the payload of 56 bytes or more begins and ends."""
    start = place + 1 + (data[place] & 0x3F) - 55
    size = data[place + 1 : start]
    length = int.from_bytes(size, "big")
    if size[:1] == b"\0" or length < 56:
        raise _refusal("a length is longer than need be", data)
    return start, start + length


def _refusal(reason: str, data: bytes) -> Exception:
    refusal: Exception = rlp.exceptions.DecodingError(reason, data)
    return refusal
