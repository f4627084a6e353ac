"""Hexadecimal in and out: the one place where a parameter's text becomes a number or bytes. Strict on purpose."""

import re

from eth_typing import Address

from node.rpc.errors import InvalidParams

_QUANTITY = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]*)")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


def quantity(value: object, name: str = "value", bits: int = 256) -> int:
    """A JSON-RPC quantity: 0x, no leading zeros, at most `bits` wide."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise InvalidParams(f"invalid {name}: want a 0x-prefixed quantity without leading zeros, got {_shown(value)}")
    number = int(value, 16)
    if number.bit_length() > bits:
        raise InvalidParams(f"invalid {name}: number exceeds {bits} bits")
    return number


def data(value: object, name: str = "data", size: int | None = None) -> bytes:
    """Bytes as 0x and pairs of digits; `size` in bytes if it is fixed."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise InvalidParams(f"invalid {name}: want 0x-prefixed hex bytes, got {_shown(value)}")
    if size is not None and len(value) != 2 + 2 * size:
        raise InvalidParams(f"invalid {name}: want {size} bytes, got {(len(value) - 2) // 2}")
    return bytes.fromhex(value[2:])


def address(value: object, name: str = "address") -> Address:
    return Address(data(value, name, 20))


def hash32(value: object, name: str = "hash") -> bytes:
    return data(value, name, 32)


def slot(value: object, name: str = "storage key") -> int:
    """A storage slot as a quantity or as up to 32 bytes, leading zeros allowed: clients send both."""
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{1,64}", value):
        return int(value, 16)
    raise InvalidParams(f"invalid {name}: want a 0x-prefixed value of at most 32 bytes, got {_shown(value)}")


def to_quantity(value: int) -> str:
    return hex(value)


def to_data(value: bytes) -> str:
    return "0x" + value.hex()


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 70 else text[:70] + "…"
