"""Typed doors to the rlp library, which carries no types of its own."""

from collections.abc import Callable
from typing import Any, TypeVar

import rlp  # type: ignore[import-untyped]

RlpError: type[Exception] = rlp.exceptions.RLPException

T = TypeVar("T")


def encode(item: object) -> bytes:
    return bytes(rlp.encode(item))


def decode(data: bytes) -> Any:
    """Nested lists of bytes."""
    return rlp.decode(data)


def decode_as(data: bytes, shape: Callable[..., T]) -> T:
    decoded: T = rlp.decode(data, sedes=shape)
    return decoded
