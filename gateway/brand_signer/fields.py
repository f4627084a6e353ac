"""Fields of a parsed JSON body, typed once; BadRequest names the field that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.brand_signer.json_server import BadRequest
from gateway.values.hex import BadHex, to_bytes


def body_object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest("the body must be a JSON object")
    return value


def whole_number(body: Mapping[str, Any], name: str, bits: int) -> int:
    """An unsigned integer of at most so many bits."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << bits:
        raise BadRequest(f"{name} must be a whole number from 0 to 2^{bits} - 1")
    return value


def hex_bytes(body: Mapping[str, Any], name: str, length: int | None = None) -> bytes:
    """Bytes written as 0x and pairs of hex digits."""
    try:
        data = to_bytes(body.get(name))
    except BadHex:
        raise BadRequest(f"{name} must be 0x and pairs of hex digits") from None
    if length is not None and len(data) != length:
        raise BadRequest(f"{name} must have {length} bytes")
    return data
