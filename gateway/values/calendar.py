"""How moments and days are written for readers: ISO 8601, moments in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from gateway.ledger.lots import NEVER


def moment(unix_seconds: int) -> str:
    """1489536000 -> 2017-03-15T00:00:00Z."""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_or_none(unix_seconds: int | None) -> str | None:
    return None if unix_seconds is None else moment(unix_seconds)


def expiry_date(expiry_day: int) -> str | None:
    """The last day on which a lot can be used; None = never expires (or so far away that no calendar names it)."""
    if expiry_day == NEVER:
        return None
    try:
        return (date(1970, 1, 1) + timedelta(days=expiry_day)).isoformat()
    except OverflowError:
        return None
