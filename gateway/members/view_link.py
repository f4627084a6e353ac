"""Links to a member's page: an expiry and an HMAC over it and the member, so that nobody can make or prolong one."""

from __future__ import annotations

import hashlib
import hmac

from gateway.values.errors import Invalid, NotPermitted
from gateway.values.ids import MemberId

VIEW_LINK_SECRET = "member-view-links"  # noqa: S105 - the name of a row
MAX_VALID_SECONDS = 90 * 86_400


def sign_link(secret: bytes, member_id: MemberId, valid_seconds: int, now: int) -> tuple[str, int]:
    """(the link's token, when it stops working)."""
    if not 60 <= valid_seconds <= MAX_VALID_SECONDS:
        raise Invalid(f"valid_seconds must be from 60 to {MAX_VALID_SECONDS}", field="valid_seconds")
    expires_at = now + valid_seconds
    return f"{expires_at}.{_mark(secret, member_id, expires_at)}", expires_at


def check_link(secret: bytes, member_id: MemberId, token: str, now: int) -> None:
    """Refuses a token that is not ours, not this member's, or too old."""
    expires, _, mark = token.partition(".")
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12 and mark.isascii()):
        raise NotPermitted("this link is not valid")
    expires_at = int(expires)
    if not hmac.compare_digest(_mark(secret, member_id, expires_at), mark):
        raise NotPermitted("this link is not valid")
    if now >= expires_at:
        raise NotPermitted("this link has expired: ask for a new one")


def _mark(secret: bytes, member_id: MemberId, expires_at: int) -> str:
    return hmac.new(secret, f"member-view:{member_id}:{expires_at}".encode(), hashlib.sha256).hexdigest()
