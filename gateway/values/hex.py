"""The one place where the hex of JSON-RPC becomes numbers and bytes: `int("1_0", 16)` succeeds in Python, so the form is checked."""

from __future__ import annotations

import re

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")


class BadHex(ValueError):
    """The node sent something that is no hex of the Ethereum execution API."""


def to_int(quantity: object) -> int:
    if not isinstance(quantity, str) or not _QUANTITY.fullmatch(quantity):
        raise BadHex(f"{quantity!r} is no quantity")
    return int(quantity, 16)


def to_bytes(data: object) -> bytes:
    if not isinstance(data, str) or not data.startswith("0x"):
        raise BadHex(f"{data!r} is no data")
    try:
        return bytes.fromhex(data[2:])
    except ValueError as error:
        raise BadHex(f"{data!r} is no data") from error


def to_hash(data: object) -> str:
    """A 32-byte hash as lower-case text with 0x."""
    raw = to_bytes(data)
    if len(raw) != 32:
        raise BadHex(f"{data!r} is no hash of 32 bytes")
    return "0x" + raw.hex()


def from_int(value: int) -> str:
    return hex(value)


def from_bytes(data: bytes) -> str:
    return "0x" + data.hex()
