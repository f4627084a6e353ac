"""Pages of a list: a cursor is opaque to callers and says where the next page begins."""

from __future__ import annotations

import base64
import binascii

from gateway.values.errors import Invalid

MAX_LIMIT = 200


def cursor_after(position: int) -> str:
    """The cursor of the page after this position."""
    return base64.urlsafe_b64encode(position.to_bytes(8)).decode().rstrip("=")


def position_of(cursor: str | None) -> int | None:
    """What a cursor stands for; refuses what this file did not make."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    position = int.from_bytes(raw)
    if len(raw) != 8 or position >= 2**63 or cursor_after(position) != cursor:
        raise Invalid("this cursor was not given out here", field="cursor")
    return position
