"""The one place where hex becomes bytes and numbers, and back. Python is too kind a reader: `int("1_0", 16)` and `bytes.fromhex("0 1")`
succeed in parts, so the form is checked first.
"""

from __future__ import annotations

import re

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x[0-9a-fA-F]*")
_BARE = re.compile(r"[0-9a-fA-F]*")


class BadHex(ValueError):
    """The text is no hex of the form that is due."""


def to_int(quantity: object) -> int:
    """A quantity of the Ethereum execution API: 0x and up to 64 digits."""
    if not isinstance(quantity, str) or not _QUANTITY.fullmatch(quantity):
        raise BadHex(f"{str(quantity)[:80]!r} is no quantity")
    return int(quantity, 16)


def to_bytes(data: object, length: int | None = None) -> bytes:
    """0x and pairs of digits, of exactly `length` bytes where that is given."""
    if not isinstance(data, str) or len(data) % 2 or not _DATA.fullmatch(data):
        raise BadHex(f"{str(data)[:80]!r} is no data: 0x and pairs of hex digits are due")
    raw = bytes.fromhex(data[2:])
    if length is not None and len(raw) != length:
        raise BadHex(f"{data[:80]!r} has {len(raw)} bytes, {length} are due")
    return raw


def bare_to_bytes(text: str) -> bytes:
    """Pairs of digits without 0x, as files of secrets and journals hold them."""
    if len(text) % 2 or not _BARE.fullmatch(text):
        raise BadHex("pairs of hex digits are due")
    return bytes.fromhex(text)


def with_or_without_0x(text: str) -> bytes:
    """Pairs of digits, after 0x or not, as people write them in files."""
    return to_bytes(text) if text.startswith("0x") else bare_to_bytes(text)


def from_int(value: int) -> str:
    """A quantity of the Ethereum execution API."""
    return hex(value)


def hex_text(data: bytes) -> str:
    """Lower-case digits after 0x, as everything outside this process reads bytes."""
    return "0x" + data.hex()


def hex_text_or_none(data: bytes | None) -> str | None:
    return None if data is None else hex_text(data)
