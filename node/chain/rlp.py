"""RLP: encoding plain items is spelled out here, since the rlp library looks at each several times over; all else is the library's."""

from collections.abc import Callable
from typing import Any, TypeVar

import rlp  # type: ignore[import-untyped]

RlpError: type[Exception] = rlp.exceptions.RLPException

T = TypeVar("T")
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
    """Nested lists of bytes."""
    return rlp.decode(data)


def decode_as(data: bytes, shape: Callable[..., T]) -> T:
    decoded: T = rlp.decode(data, sedes=shape)
    return decoded
